package billing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

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

// header is in every message to the hook.
type header struct {
	Version   int    `json:"version"`
	Event     string `json:"event"`
	AccountID string `json:"account_id"`
}

// post sends a message to the hook and reads the response.
func (h *Hook) post(ctx context.Context, requestID string, message any) (httpclient.Response, error) {
	r, err := httpclient.NewRequest(ctx, http.MethodPost, h.options.URL, message)
	if err != nil {
		return httpclient.Response{}, err
	}
	if requestID != "" {
		r.Header.Set("X-Request-ID", requestID)
	}
	return h.exchange(r)
}

// reconcile calls the hook for an account whose copies have changed.
func (h *Hook) reconcile(ctx context.Context, account string) error {
	r, err := h.post(ctx, "", header{protocol, Reconcile, account})
	if err == nil && r.Status/100 != 2 {
		err = fmt.Errorf("the hook responds with status %d", r.Status)
	}
	return err
}

// exchange sends a request and reads the response. No error repeats the URL: any part of it may contain secrets.
func (q *Queue) exchange(r *http.Request) (httpclient.Response, error) {
	response, err := q.http.Do(r)
	if cause := context.Cause(r.Context()); err != nil && cause != nil {
		return response, cause
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return response, u.Err
	}
	return response, err
}
