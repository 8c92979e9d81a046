package couchhttp

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
	"junctor/pkg/requesttime"
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
// at a time. All other requests fail at once, and the wrong password is not repeated with each of them.
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
	errSlowRows = statusError{http.StatusServiceUnavailable, fmt.Errorf("rows did not come within %s; "+
		"CouchDB may be building the view, or a node of the cluster may hang", callTime)}
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
	most, slow := limit(r), error(errSlow)
	_, awaited := requesttime.Began(r.Context())
	ofRows := most == 0 && awaited && readsRows(r)
	switch {
	case ofRows:
		most, slow = callTime, errSlowRows
	case most == 0:
		return g.RoundTripper.RoundTrip(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(most, func() { cancel(slow) })
	body := &boundedBody{ctx: ctx, cancel: cancel, timer: timer, slow: slow}
	response, err := g.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		body.release()
		return nil, body.cause(err)
	}
	if (ofRows || r.Context().Value(streamedKey{}) != nil) && timer.Stop() {
		body.silence = most
	}
	body.ReadCloser = response.Body
	response.Body = body
	return response, nil
}

// boundedBody is a body that ends with an error when the timer of its call does.
type boundedBody struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	slow    error         // what the call then ends with
	silence time.Duration // if not 0, the timer runs during each read, for that long
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.silence > 0 {
		b.timer.Reset(b.silence)
		defer b.timer.Stop()
	}
	n, err := b.ReadCloser.Read(p)
	return n, b.cause(err)
}

// cause returns err, or why the call was cut off if that is the cause.
func (b *boundedBody) cause(err error) error {
	if err != nil && errors.Is(context.Cause(b.ctx), b.slow) {
		return b.slow
	}
	return err
}

func (b *boundedBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

func (b *boundedBody) release() {
	b.timer.Stop()
	b.cancel(nil)
}

// readsRows reports whether a request reads rows of a view or of all documents.
func readsRows(r *http.Request) bool {
	return strings.Contains(r.URL.EscapedPath(), "/_view/") || strings.HasSuffix(r.URL.EscapedPath(), "/_all_docs")
}

// bulkRate is how many bytes of a bulk call take one second more.
const bulkRate = 64 << 10

// streamedKey is the key in the context of a request whose response may be long.
type streamedKey struct{}

// Streamed returns a context for a request whose response may be long: each part of it has to come within callTime.
func Streamed(ctx context.Context) context.Context {
	return context.WithValue(ctx, streamedKey{}, true)
}

// limit returns how long a request may take: callTime if it is about single documents or the server, and longer for a
// bulk call. Views that have to be built, feeds, and writes to all nodes of a cluster have limits of their own: 0.
func limit(r *http.Request) time.Duration {
	if r.URL.Query().Has("w") {
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
