package store

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// transport is how requests of kivik 4.5 go to a CouchDB: in one piece, to the database that is meant, and with an end
// to those for Sequences. It notes which writes not all nodes of a CouchDB cluster have taken.
type transport struct{ http.RoundTripper }

// RoundTrip is an http.RoundTripper's.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r, err := whole(impatient(escapePlus(r)))
	if err != nil {
		return nil, err
	}
	answer, err := t.send(r)
	if err == nil {
		noteAccepted(r, answer)
	}
	return answer, err
}

// whole returns a request whose body is complete. kivik encodes while it sends, in chunks behind the header, and a
// CouchDB that has seen enough in the header, as the name of a database that does not exist, answers and hangs up: then
// there may be an error of writing, and no answer.
func whole(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > 0 {
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

// sequencesTime bounds how long a CouchDB may think about Sequences: kivik asks it for as long as it takes, whatever
// the caller's context says (couchdb.client.DBsStats), and until then the store could not be closed.
const sequencesTime = 2 * time.Second

// impatient gives a request for Sequences an end.
func impatient(r *http.Request) *http.Request {
	if !strings.HasSuffix(r.URL.Path, "/_dbs_info") {
		return r
	}
	ctx, cancel := context.WithCancel(r.Context())
	time.AfterFunc(sequencesTime, cancel)
	return r.WithContext(ctx)
}
