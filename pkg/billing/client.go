package billing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/httpclient"
)

const (
	// protocol is the version of the protocol that is spoken here.
	protocol = 1
	// maxBody bounds the body of a response. Invoices are a few KiB.
	maxBody = 1 << 20
	// maxConnections bounds the load of a target.
	maxConnections = 32
	connectTime    = 5 * time.Second
)

func newClient() *http.Client { return httpclient.New(connectTime, maxConnections) }

// header is in every message to the hook.
type header struct {
	Version   int    `json:"version"`
	Event     string `json:"event"`
	AccountID string `json:"account_id"`
}

// post sends a message to the hook and reads the response.
func (h *Hook) post(ctx context.Context, requestID string, message any) (response, error) {
	r, err := newRequest(ctx, http.MethodPost, h.options.URL, message)
	if err != nil {
		return response{}, err
	}
	if requestID != "" {
		r.Header.Set("X-Request-ID", requestID)
	}
	return exchange(h.http, r)
}

// reconcile calls the hook for an account whose copies have changed.
func (h *Hook) reconcile(ctx context.Context, account string) error {
	r, err := h.post(ctx, "", header{protocol, Reconcile, account})
	if err == nil && r.status/100 != 2 {
		err = fmt.Errorf("the hook responds with status %d", r.status)
	}
	return err
}

// newRequest returns a request with a body in JSON.
func newRequest(ctx context.Context, method, url string, body any) (*http.Request, error) {
	text, err := document.Encode(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("not a URL") // which is not to be repeated
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "junctor")
	// Every message may be sent twice. net/http does so, if it is told, where the other side has just closed an idle
	// connection; an empty value is not sent.
	r.Header["Idempotency-Key"] = nil
	return r, nil
}

// exchange sends a request and reads the response.
func exchange(client *http.Client, r *http.Request) (response, error) {
	received, err := client.Do(r)
	if err != nil {
		return response{}, withoutURL(r.Context(), err)
	}
	defer func() { _ = received.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(received.Body, maxBody+1))
	if err != nil {
		return response{}, withoutURL(r.Context(), err)
	}
	return response{received.StatusCode, received.Header.Get("Content-Type"), body}, nil
}

// withoutURL returns why a request failed, without its URL: any part of it may contain secrets.
func withoutURL(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
