package store_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// nodes is a CouchDB as a cluster shows itself, or one alone, that takes every write and notes what it was asked.
type nodes struct {
	*testing.T
	info   string // of its databases
	status int    // of a write: 201 is taken by all nodes, 202 by some
	winner string // the document that is there afterwards; empty is none

	mu    sync.Mutex
	asked []string
}

func (n *nodes) open() *store.Store {
	s := httptest.NewServer(n)
	n.Cleanup(s.Close)
	return open(n.T, s.URL)
}

func (n *nodes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ W json.Number }
	_ = json.NewDecoder(r.Body).Decode(&body)
	w.Header().Set("Content-Type", "application/json")
	q := r.URL.Query()
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && r.URL.Path != "/db/a":
		_, _ = fmt.Fprintf(w, `{"db_name":"db","update_seq":"0-x",%s}`, n.info)
	case r.Method == http.MethodGet && n.winner == "":
		n.asked = append(n.asked, "GET r="+q.Get("r"))
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":"not_found","reason":"deleted"}`)
	case r.Method == http.MethodGet:
		n.asked = append(n.asked, "GET r="+q.Get("r"))
		_, _ = io.WriteString(w, n.winner)
	default:
		n.asked = append(n.asked, r.Method+" "+q.Get("rev")+"w="+cmp.Or(body.W.String(), q.Get("w")))
		answer := `{"ok":true,"id":"a","rev":"2-mine"}`
		if r.Method == http.MethodPost {
			answer = "[" + answer + "]"
		}
		w.Header().Set("ETag", `"2-mine"`)
		w.WriteHeader(n.status)
		_, _ = io.WriteString(w, answer)
	}
}

const (
	three = `"cluster":{"q":2,"n":3,"w":2,"r":2}`
	alone = `"cluster":{"q":2,"n":1,"w":1,"r":1}`
)

// TestReplicated: a write waits for all nodes of a CouchDB cluster. Where some have not taken it, the winner decides,
// and a loser takes its revision away. A CouchDB alone, and what knows no nodes, is asked nothing special.
func TestReplicated(t *testing.T) {
	t.Parallel()
	ours := `{"_id":"a","_rev":"3-later","_revisions":{"start":3,"ids":["later","mine","base"]}}`
	other := `{"_id":"a","_rev":"2-other","_revisions":{"start":2,"ids":["other","base"]}}`
	for _, test := range []struct {
		name, info string
		status     int
		winner     string
		lost       bool
		put        []string // what Put asks, and PutMany with another method
		kept       bool     // Delete fails
		deleted    []string
	}{
		{"taken by all", three, 201, ours, false, []string{"PUT w=3"}, false, []string{"DELETE 2-minew=3"}},
		{"won", three, 202, ours, false, []string{"PUT w=3", "GET r=3"}, true, []string{"DELETE 2-minew=3", "GET r=3"}},
		{"lost", three, 202, other, true, []string{"PUT w=3", "GET r=3", "DELETE 2-minew=3", "GET r=3"},
			false, []string{"DELETE 2-minew=3", "GET r=3"}},
		{"removed", three, 202, "", false, []string{"PUT w=3", "GET r=3"}, false,
			[]string{"DELETE 2-minew=3", "GET r=3"}},
		{"alone", alone, 202, other, false, []string{"PUT w="}, false, []string{"DELETE 2-minew="}},
		{"no nodes", `"doc_count":0`, 201, other, false, []string{"PUT w="}, false, []string{"DELETE 2-minew="}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := &nodes{T: t, info: test.info, status: test.status, winner: test.winner}
			s, doc := n.open(), document.Document{"_id": "a", "_rev": "1-base"}
			rev, err := s.Put(t.Context(), "db", doc)
			n.is("put", test.put, err, test.lost)
			if err == nil && rev != "2-mine" {
				t.Errorf("put: %q", rev)
			}
			written, err := s.PutMany(t.Context(), "db", []document.Document{doc})
			if err != nil || len(written) != 1 {
				t.Fatalf("put many: %v, %v", written, err)
			}
			n.is("put many", slices.Concat([]string{"POST" + test.put[0][3:]}, test.put[1:]), written[0].Err, test.lost)
			n.is("delete", test.deleted, s.Delete(t.Context(), "db", "a", "2-mine"), test.kept)
		})
	}
}

// is compares what was asked, and whether it came to a conflict.
func (n *nodes) is(call string, want []string, err error, conflict bool) {
	n.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.asked, want) {
		n.Errorf("%s asked %q, want %q", call, n.asked, want)
	}
	if conflict != fault.Is(err, fault.Conflict) || !conflict && err != nil {
		n.Errorf("%s: %v", call, err)
	}
	n.asked = nil
}

// TestUpdateReplicated: a writer starts from what all nodes have, since most of them may not know of the winner yet.
func TestUpdateReplicated(t *testing.T) {
	t.Parallel()
	n := &nodes{T: t, info: three, status: 201}
	n.winner = `{"_id":"a","_rev":"1-base","_revisions":{"start":1,"ids":["base"]}}`
	doc, err := n.open().Update(t.Context(), "db", "a", func(doc document.Document) error {
		if doc["_revisions"] != nil {
			t.Errorf("handed over %v", doc)
		}
		return nil
	})
	n.is("update", []string{"GET r=3", "PUT w=3"}, err, false)
	if doc.Rev() != "2-mine" {
		t.Errorf("got %v", doc)
	}
}
