package store_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// TestFeedEnds: a CouchDB that ends a feed, by its last line, by closing or in the middle of a line, ends the call
// and nothing more.
func TestFeedEnds(t *testing.T) {
	t.Parallel()
	const line = `{"seq":"3-x","id":"a","changes":[{"rev":"1-b"}],"doc":{"_id":"a","_rev":"1-b"}}` + "\n"
	for rest, clean := range map[string]bool{
		"": true, "\n\n": true, `{"last_seq":"3-x","pending":0}` + "\n": true, `{"seq":"4-x","i`: false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, line+rest)
		}))
		t.Cleanup(server.Close)
		var seen []string
		err := open(t, server.URL).Changes(t.Context(), "db", "", func(c store.Change) error {
			seen = append(seen, c.ID+" "+c.Seq)
			return nil
		})
		if len(seen) != 1 || seen[0] != "a 3-x" || clean != (err == nil) {
			t.Errorf("%q: %q, %v", rest, seen, err)
		}
		if !clean && !fault.Is(err, fault.DatastoreUnreachable) {
			t.Errorf("%q: %v", rest, err)
		}
	}
}

// TestFeedEndsWithServer: so does one that is gone all at once.
func TestFeedEndsWithServer(t *testing.T) {
	t.Parallel()
	connected := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "\n")
		w.(http.Flusher).Flush()
		close(connected)
		<-r.Context().Done()
	}))
	ended := make(chan error)
	s := open(t, server.URL)
	go func() {
		ended <- s.Changes(t.Context(), "db", "7", func(store.Change) error { return errors.New("there is none") })
	}()
	<-connected
	server.CloseClientConnections()
	if err := <-ended; err != nil && !fault.Is(err, fault.DatastoreFault) && !fault.Is(err, fault.DatastoreUnreachable) {
		t.Error(err)
	}
	server.Close()
}
