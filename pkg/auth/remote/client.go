package remote

import (
	"context"
	"net/http"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/auth/trust"
	"junctor/pkg/httpclient"
)

const (
	// askTime bounds the time of one question, both requests together.
	askTime = 2500 * time.Millisecond
	// maxBody bounds the body of a response. Those of a Kazoo are a few KiB, most of it the list of apps.
	maxBody = 64 << 10
	// maxConnections bounds the load of a cluster.
	maxConnections = 32
)

// question is a token and the cluster that is said to have issued it.
type question struct {
	cluster trust.Cluster
	token   string
}

// client speaks to the API of a Kazoo.
type client struct{ http *httpclient.Client }

func newClient() *client { return &client{httpclient.New(askTime, maxConnections, maxBody)} }

// ask asks the cluster whose token it is: GET token_auth, and if that does not exist, tokeninfo, which accepts any token
// and does not check restrictions.
func (c *client) ask(ctx context.Context, q question) (*auth.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r, err := c.send(ctx, http.MethodGet, q.cluster.URL+"/token_auth", q.token, nil)
	if err != nil {
		return nil, silence(err)
	}
	switch r.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return c.askTokenInfo(ctx, q)
	}
	return q.interpret(r)
}

// askTokenInfo sends the token in the body: the URL is what proxies log.
func (c *client) askTokenInfo(ctx context.Context, q question) (*auth.Identity, error) {
	body := map[string]any{"data": map[string]any{"token": q.token}}
	r, err := c.send(ctx, http.MethodPost, q.cluster.URL+"/auth/tokeninfo", "", body)
	if err != nil {
		return nil, silence(err)
	}
	if isUserDeleted(r) {
		return nil, refuse("its user is deleted")
	}
	return q.interpret(r)
}

func (c *client) send(ctx context.Context, method, url, token string, body any) (httpclient.Response, error) {
	r, err := httpclient.NewRequest(ctx, method, url, body)
	if err != nil {
		return httpclient.Response{}, err
	}
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	return c.http.Do(r)
}
