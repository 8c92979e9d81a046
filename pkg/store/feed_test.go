package store_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// feedOf is a CouchDB that answers each request with the next of some texts, and then not at all.
func feedOf(t *testing.T, answers ...string) *store.Store {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(answers) == 0 {
			<-r.Context().Done()
			return
		}
		answer := answers[0]
		answers = answers[1:]
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return open(t, server.URL)
}

const oneChange = `{"results":[
{"seq":"3-x","id":"a","changes":[{"rev":"1-b"}],"doc":{"_id":"a","_rev":"1-b"}}
],
"last_seq":"4-y","pending":0}`

// TestFeedBreaks: an answer that is cut off, that is none, or of which a document cannot be read, ends the feed with
// an error, and what was told before stays told.
func TestFeedBreaks(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{"", "\n", `{"results":[{"seq":"4-x","i`, `{"results":[`, "<html>", `{"results":[],"last`,
		`{"results":[{"seq":"4-x","id":"b","changes":[{"rev":"1-b"}],"doc":null}],"last_seq":"4-y"}`} {
		var seen []string
		err := feedOf(t, oneChange, rest).Changes(t.Context(), "db", "", func(c store.Change) error {
			if _, err := c.Doc(); err != nil {
				return err
			}
			seen = append(seen, c.ID+" "+c.Seq)
			return nil
		}, nil)
		if !slices.Equal(seen, []string{"a 3-x"}) {
			t.Errorf("%q: %q", rest, seen)
		}
		if !fault.Is(err, fault.DatastoreFault) && !fault.Is(err, fault.DatastoreUnreachable) {
			t.Errorf("%q: %v", rest, err)
		}
	}
}

// TestFeedWaits: a feed that waits for an answer ends with its context, and has not said that it is current.
func TestFeedWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	times := 0
	err := feedOf(t, oneChange).Changes(ctx, "db", "7", func(store.Change) error {
		time.AfterFunc(10*time.Millisecond, cancel)
		return nil
	}, func(time.Time) { times++ })
	if !errors.Is(err, context.Canceled) || times != 1 {
		t.Errorf("%v, current %d times", err, times)
	}
}

// TestFeedOfServerWithoutTimeout: the past is read without waiting, and so is the feed where a wait does not end.
func TestFeedOfServerWithoutTimeout(t *testing.T) {
	t.Parallel()
	var waited atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("feed") == "longpoll" {
			waited.Add(1)
			_, _ = io.WriteString(w, "{\"results\":[\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, oneChange)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	enough, seen := errors.New("enough"), 0
	err := open(t, server.URL).Changes(t.Context(), "db", "", func(c store.Change) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	}, func(time.Time) {
		if seen != 1 || waited.Load() != 0 {
			t.Error("it waited for what was there")
		}
	})
	if !errors.Is(err, enough) || waited.Load() != 1 {
		t.Errorf("%v after %d waits", err, waited.Load())
	}
}
