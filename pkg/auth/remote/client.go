package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"junctor/pkg/auth/trust"
	"junctor/pkg/document"
	"junctor/pkg/httpclient"
)

const (
	// askTime bounds what is spent on one question, both attempts together.
	askTime = 2500 * time.Millisecond
	// maxBody bounds an answer. Those of a Kazoo are a few KiB, most of it the list of apps.
	maxBody = 64 << 10
	// maxConnections bounds what a cluster has to bear from here.
	maxConnections = 32
)

// question is a token and the cluster that is said to have issued it.
type question struct {
	cluster trust.Cluster
	token   string
}

// client speaks to the API of a Kazoo.
type client struct{ http *http.Client }

func newClient() *client { return &client{httpclient.New(askTime, maxConnections)} }

// ask asks whose token it is. Where GET token_auth is closed to the token or not there, tokeninfo is asked, which
// takes any token but does not look at restrictions.
func (c *client) ask(ctx context.Context, q question) verdict {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a, err := c.tokenAuth(ctx, q)
	if err != nil {
		return silence(err)
	}
	switch a.status {
	case http.StatusForbidden:
		return c.askTokenInfo(ctx, q).restricted()
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return c.askTokenInfo(ctx, q)
	}
	return a.interpret(q)
}

func (c *client) askTokenInfo(ctx context.Context, q question) verdict {
	a, err := c.tokenInfo(ctx, q)
	switch {
	case err != nil:
		return silence(err)
	case a.status == http.StatusInternalServerError && a.envelope.String("message") == "invalid_identity_provider":
		return refusal("its user is deleted") // Kazoo's way to say so (kazoo_auth)
	}
	return a.interpret(q)
}

func (c *client) tokenAuth(ctx context.Context, q question) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.cluster.URL+"/token_auth", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Auth-Token", q.token)
	return c.exchange(r)
}

// tokenInfo sends the token in the body: the URL is what proxies log.
func (c *client) tokenInfo(ctx context.Context, q question) (*answer, error) {
	body, err := json.Marshal(map[string]any{"data": map[string]string{"token": q.token}})
	if err != nil {
		return nil, err
	}
	url := q.cluster.URL + "/auth/tokeninfo"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	// net/http sends a question again where an idle connection was just closed. An empty value is not sent.
	r.Header["Idempotency-Key"] = nil
	return c.exchange(r)
}

// answer is what a cluster said.
type answer struct {
	status   int
	envelope document.Document // nil where it was not in JSON
	garbage  error             // why not
}

// exchange makes a request. An error says that there was no answer, or not all of it in time.
func (c *client) exchange(r *http.Request) (*answer, error) {
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "junctor")
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL, err)
	}
	a := &answer{status: response.StatusCode}
	a.envelope, a.garbage = decode(response.Header.Get("Content-Type"), body)
	return a, nil
}

func decode(contentType string, body []byte) (document.Document, error) {
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return nil, errors.New("the answer is not application/json")
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	return document.Decode(body)
}
