// Package couchhttp sends requests of kivik to a CouchDB: in one piece, within a time limit, again if a connection breaks,
// and not at all while the CouchDB does not respond or refuses the password.
//
// It knows CouchDB's paths and statuses, and no documents.
package couchhttp

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// transport sends requests of kivik 4.5.
type transport struct{ http.RoundTripper }

// New returns what sends requests through base. Errors of its own have an HTTPStatus, as kivik.HTTPStatus reads it.
func New(base http.RoundTripper) http.RoundTripper { return transport{newGuard(base)} }

// RoundTrip is an http.RoundTripper's.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r, err := whole(escapePlus(r))
	if err != nil {
		return nil, err
	}
	response, err := t.send(r)
	if err == nil {
		noteAccepted(r, response)
	}
	return response, err
}

// whole returns a request whose body is complete, and can be sent again. kivik encodes while it sends, in chunks behind
// the header, and a CouchDB that has seen enough in the header, as the name of a database that does not exist, responds and
// hangs up: then there may be an error of writing, and no response.
func whole(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > 0 && r.GetBody != nil {
		return r, nil
	}
	text, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	r = r.WithContext(r.Context()) // which is a copy
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(text))
	return r, nil
}

// escapePlus returns a request whose path has no bare plus sign: kivik leaves those in the names of databases as they
// are, and CouchDB takes them for spaces.
func escapePlus(r *http.Request) *http.Request {
	path := r.URL.EscapedPath()
	if !strings.Contains(path, "+") {
		return r
	}
	r = r.WithContext(r.Context()) // which is a copy
	address := *r.URL
	address.RawPath = strings.ReplaceAll(path, "+", "%2B")
	r.URL = &address
	return r
}
