package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"junctor/pkg/breaker"
)

const (
	// callTime bounds a call that reads or writes single documents.
	callTime = 5 * time.Second
	// slowCalls is how many such calls in a row may find no response in that time. Then one at a time is made.
	slowCalls = 3
	// probeWait is the time between two of those.
	probeWait = time.Second
	// refusedWait is the same after a CouchDB refused name and password. From 3.4 on it locks a name out, for everybody
	// on the same machine, after five wrong passwords in five minutes.
	refusedWait = 80 * time.Second
)

// guard makes no more calls to a CouchDB that does not respond, or that refuses name and password, except one probe
// at a time. Nobody else waits for it, and the wrong password is not repeated with each request.
type guard struct {
	http.RoundTripper
	breaker *breaker.Breaker
	refused *breaker.Breaker
}

func newGuard(t http.RoundTripper) *guard {
	return &guard{t, breaker.New(slowCalls, probeWait), breaker.New(1, refusedWait)}
}

// statusError is an error that kivik.HTTPStatus knows the status of.
type statusError struct {
	status int
	error
}

func (e statusError) HTTPStatus() int { return e.status }

var (
	errRefused = statusError{http.StatusUnauthorized, errors.New("CouchDB has refused the user name and password; " +
		"it is asked again after 80 s")}
	errSilent = statusError{http.StatusServiceUnavailable, errors.New("CouchDB has not responded; " +
		"only one call at a time is made until it does")}
	errSlow = statusError{http.StatusServiceUnavailable, fmt.Errorf("no response within %s", callTime)}
)

// RoundTrip is an http.RoundTripper's.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	login, ok := g.refused.Allow(began)
	if !ok {
		return nil, errRefused
	}
	call, ok := g.breaker.Allow(began)
	if !ok {
		login.Abandoned()
		return nil, errSilent
	}
	response, err := g.bounded(r)
	switch now := time.Now(); {
	case err == nil:
		call.Succeeded()
	case errors.Is(err, errSlow) || r.Context().Err() != nil && now.Sub(began) > callTime*3/4 && limit(r) > 0:
		call.Failed(now)
	default: // the caller has given up, or there is no connection, which takes no time
		call.Abandoned()
	}
	switch {
	case err != nil:
		login.Abandoned()
	case isRefusal(r, response):
		login.Failed(time.Now())
	default:
		login.Succeeded()
	}
	return response, err
}

// bounded makes a call of bounded time, the body of the response included.
func (g *guard) bounded(r *http.Request) (*http.Response, error) {
	most := limit(r)
	if most == 0 {
		return g.RoundTripper.RoundTrip(r)
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), most, errSlow)
	response, err := g.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		if errors.Is(context.Cause(ctx), errSlow) {
			err = errSlow
		}
		cancel()
		return nil, err
	}
	response.Body = &boundedBody{response.Body, cancel}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// bulkRate is how many bytes of a bulk call take one second more.
const bulkRate = 64 << 10

// unboundedKey is the key in the context of a request that may take as long as its content flows.
type unboundedKey struct{}

// unbounded returns a context for a request that carries content of any size.
func unbounded(ctx context.Context) context.Context {
	return context.WithValue(ctx, unboundedKey{}, true)
}

// limit returns how long a request may take: callTime if it is about single documents or the server, and longer for a
// bulk call. Views that have to be built, feeds, writes to all nodes of a cluster and contents of any size have limits of
// their own: 0.
func limit(r *http.Request) time.Duration {
	if r.URL.Query().Has("w") || r.Context().Value(unboundedKey{}) != nil {
		return 0
	}
	segments := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if last := segments[len(segments)-1]; r.Method == http.MethodPost && (last == "_bulk_docs" || last == "_all_docs") {
		return callTime + time.Duration(r.ContentLength/bulkRate)*time.Second
	}
	for _, segment := range segments[1:] {
		if strings.HasPrefix(segment, "_") && segment != "_design" && segment != "_local" {
			return 0
		}
	}
	if segments[0] == "_dbs_info" {
		return 0
	}
	return callTime
}

// isRefusal reports whether a CouchDB has refused name and password, or has locked the name out. It says 401 and 403
// of other things as well, as of a name that is no administrator's.
func isRefusal(r *http.Request, response *http.Response) bool {
	if response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden ||
		r.Header.Get("Authorization") == "" {
		return false
	}
	if r.Method == http.MethodHead {
		return response.StatusCode == http.StatusUnauthorized
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	response.Body = &prefixed{io.MultiReader(bytes.NewReader(text), response.Body), response.Body}
	return bytes.Contains(text, []byte("password is incorrect")) || bytes.Contains(text, []byte("temporarily locked"))
}

// prefixed is a body of which something was read before.
type prefixed struct {
	io.Reader
	io.Closer
}
