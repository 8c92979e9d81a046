package couchhttp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
)

// A CouchDB, or a proxy before it, may close a connection that was left open in the moment in which a request is sent
// on it. net/http then sends GET and HEAD again, and fails other requests, although nothing may have been executed
// (golang/go#22158, #19943). Here all requests are sent again, since each can be: a read changes nothing, and a write
// names the revision that it goes on from, so that a second one is refused with a conflict. A write that was refused
// after it was sent again is read back: the revision that stands in its way may be its own.

// maxSends bounds how often a request is sent. Each time it may meet another connection that has just been closed.
const maxSends = 3

// Sent is what became of a request on its way.
type Sent struct {
	Partial  bool // not all nodes of a cluster have accepted it (202)
	Repeated bool // it was sent more than once
}

// sentKey is the key of the *Sent in the context of a request.
type sentKey struct{}

// WithSent returns a context for a request, whose Sent is then set.
func WithSent(ctx context.Context, s *Sent) context.Context {
	return context.WithValue(ctx, sentKey{}, s)
}

// send sends a request, and again if a reused connection broke before there was a response.
func (t transport) send(r *http.Request) (*http.Response, error) {
	var reused bool
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
	for n := 1; ; n++ {
		reused = false
		response, err := t.RoundTripper.RoundTrip(r)
		if err == nil || n == maxSends || !reused || !connectionBroke(err) || r.Context().Err() != nil {
			return response, err
		}
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
		if s, ok := r.Context().Value(sentKey{}).(*Sent); ok {
			s.Repeated = true
		}
	}
}

// connectionBroke reports whether err says that a connection ended, and not that a response was too late or wrong.
func connectionBroke(err error) bool {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return false
	}
	if _, ok := errors.AsType[*net.OpError](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	// net/http exports no error for a connection that was closed while it was idle.
	return strings.Contains(err.Error(), "server closed idle connection") ||
		strings.Contains(err.Error(), "connection broken")
}

// noteAccepted notes that not all nodes of a cluster have accepted a write.
func noteAccepted(r *http.Request, response *http.Response) {
	if s, ok := r.Context().Value(sentKey{}).(*Sent); ok && response.StatusCode == http.StatusAccepted {
		s.Partial = true
	}
}
