package store_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// TestWholeRequests: the header of a request says how long it is, and it is sent with it. A CouchDB that hangs up after
// the header would otherwise not be heard now and then.
func TestWholeRequests(t *testing.T) {
	t.Parallel()
	const missing = `{"error":"not_found","reason":"Database does not exist."}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(text)) || len(r.TransferEncoding) > 0 {
			t.Errorf("%s %s: %d bytes, said %d, %v, %v", r.Method, r.URL.Path, len(text), r.ContentLength,
				r.TransferEncoding, err)
		}
		if r.Method != http.MethodGet && len(text) == 0 {
			t.Errorf("%s %s: nothing", r.Method, r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/db/" || r.URL.Path == "/db" {
			_, _ = io.WriteString(w, `{"db_name":"db","update_seq":"0"}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, missing)
	}))
	t.Cleanup(server.Close)
	s, doc := open(t, server.URL), document.Document{"_id": "a"}
	_, putErr := s.Put(t.Context(), "db", doc)
	_, manyErr := s.PutMany(t.Context(), "db", []document.Document{doc})
	_, getErr := s.GetMany(t.Context(), "db", []string{"a", "b"})
	for call, err := range map[string]error{"put": putErr, "put many": manyErr, "get many": getErr} {
		if !fault.Is(err, fault.DatastoreMissing) {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// TestPlusSigns: the path of a request has no bare plus sign, which a CouchDB takes for a space.
func TestPlusSigns(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.EscapedPath(); path != "/a%2Fb%2Bc" && path != "/a%2Fb%2Bc/d%2Be%20f" {
			t.Errorf("%s %s", r.Method, path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"_id":"d+e f","_rev":"1-a"}`)
	}))
	t.Cleanup(server.Close)
	s := open(t, server.URL)
	if _, err := s.Get(t.Context(), "a/b+c", "d+e f"); err != nil {
		t.Error(err)
	}
	if exists, err := s.DatabaseExists(t.Context(), "a/b+c"); err != nil || !exists {
		t.Errorf("exists: %t, %v", exists, err)
	}
}

// TestNoConnectionsLeft: a store that is closed leaves no connection to a CouchDB.
func TestNoConnectionsLeft(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	}))
	var opened, closed atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s, err := store.Open(server.URL, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil || opened.Load() == 0 {
		t.Fatalf("%d connections: %v", opened.Load(), err)
	}
	testutil.Eventually(t, "no connection is left", func() bool { return closed.Load() == opened.Load() })
}
