// Package httpclient speaks JSON to servers that an operator names: other clusters, the billing hook and Crossbar.
//
// Invariants: a client connects to the hosts it is sent to and to nothing else. It follows no redirects, uses no proxy
// of the environment's and keeps no cookies. It never reads more of a body than its bound.
//
// The package does not know what is asked, or what a response means.
package httpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/tracing"
)

// Client sends requests. It is safe for concurrent use.
type Client struct {
	*http.Client
	maxBody int
}

// New returns a client that gives up connecting after a time, opens a number of connections to a host at most, and
// reads bodies of maxBody bytes at most. It decompresses nothing.
func New(connectTime time.Duration, connections, maxBody int) *Client {
	return &Client{maxBody: maxBody, Client: &http.Client{
		Transport: tracing.Transport(&http.Transport{
			Proxy:                  nil,
			DialContext:            (&net.Dialer{Timeout: connectTime}).DialContext,
			MaxConnsPerHost:        connections,
			MaxIdleConnsPerHost:    connections,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 16 << 10,
			DisableCompression:     true,
		}, "http"),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// NewRequest returns a request that may be sent twice, with a body in JSON; a nil body is none. No error repeats the
// URL.
func NewRequest(ctx context.Context, method, url string, body any) (*http.Request, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = document.Encode(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "junctor")
	// With this header net/http sends a request again if the other side has just closed an idle connection. Without a
	// value it is not sent itself.
	r.Header["Idempotency-Key"] = nil
	return r, nil
}

// Response is a response with the beginning of its body.
type Response struct {
	Status      int
	ContentType string
	Body        []byte
	tooLong     error // nil if Body is whole
}

// Do sends a request and reads the response. The error is a *url.Error: there was no response, or not all of it came in
// time.
func (c *Client) Do(r *http.Request) (Response, error) {
	received, err := c.Client.Do(r)
	if err != nil {
		return Response{}, err
	}
	defer func() { _ = received.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(received.Body, int64(c.maxBody)+1))
	if err != nil {
		return Response{}, &url.Error{Op: r.Method, URL: r.URL.Redacted(), Err: err}
	}
	response := Response{Status: received.StatusCode, ContentType: received.Header.Get("Content-Type"), Body: body}
	if len(body) > c.maxBody {
		response.tooLong = fmt.Errorf("the response is longer than %d bytes", c.maxBody)
	}
	return response, nil
}

// Object returns the body, which has to be a JSON object and to be declared as JSON.
func (r Response) Object() (document.Document, error) {
	if media, _, err := mime.ParseMediaType(r.ContentType); err != nil || media != "application/json" {
		return nil, errors.New("the response is not application/json")
	}
	if r.tooLong != nil {
		return nil, r.tooLong
	}
	object, err := document.Decode(r.Body)
	if err != nil {
		return nil, fmt.Errorf("the response: %w", err)
	}
	return object, nil
}
