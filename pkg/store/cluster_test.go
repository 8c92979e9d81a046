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
	"junctor/pkg/store/storetest"
)

// nodes is a CouchDB as a cluster shows itself, or one alone, that accepts every write and notes the requests.
type nodes struct {
	*testing.T
	info      string // of its databases
	connected string // its connected nodes
	then      string // the same after the first question; empty for no change
	status    int    // of a write: 201 is accepted by all nodes, 202 by some
	leaves    string // of the document, afterwards
	sealed    string // the same after the write was sealed

	mu       sync.Mutex
	requests []string
}

func (n *nodes) open() *store.Store {
	s := httptest.NewServer(n)
	n.Cleanup(s.Close)
	return open(n.T, s.URL)
}

func (n *nodes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		W        json.Number
		NewEdits *bool `json:"new_edits"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	w.Header().Set("Content-Type", "application/json")
	q := r.URL.Query()
	n.mu.Lock()
	defer n.mu.Unlock()
	note := func(request string) { n.requests = append(n.requests, request) }
	switch {
	case r.URL.Path == "/_membership":
		note("membership")
		_, _ = fmt.Fprintf(w, `{"all_nodes":[%s],"cluster_nodes":["1","2","3"]}`, n.connected)
		n.connected = cmp.Or(n.then, n.connected)
	case r.URL.Path == "/db/_bulk_get":
		note("leaves r=" + q.Get("r"))
		_, _ = fmt.Fprintf(w, `{"results":[{"id":"a","docs":[%s]}]}`, n.leaves)
	case r.Method == http.MethodGet && r.URL.Path == "/db/a":
		note("get")
		_, _ = io.WriteString(w, `{"_id":"a","_rev":"1-base"}`)
	case r.Method == http.MethodGet:
		_, _ = fmt.Fprintf(w, `{"db_name":"db","update_seq":"0-x",%s}`, n.info)
	case body.NewEdits != nil:
		note("push w=" + body.W.String())
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `[]`)
	case r.Method == http.MethodPost && body.W == "2":
		note("seal w=2")
		n.leaves = n.sealed
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `[{"ok":true,"id":"a","rev":"3-sealed"}]`)
	default:
		note(r.Method + " " + q.Get("rev") + "w=" + cmp.Or(body.W.String(), q.Get("w")))
		response := `{"ok":true,"id":"a","rev":"2-mine"}`
		if r.Method == http.MethodPost {
			response = "[" + response + "]"
		}
		w.Header().Set("ETag", `"2-mine"`)
		w.WriteHeader(n.status)
		_, _ = io.WriteString(w, response)
	}
}

const (
	three = `"cluster":{"q":2,"n":3,"w":2,"r":2}`
	alone = `"cluster":{"q":2,"n":1,"w":1,"r":1}`
)

// TestWritesToACluster: a write waits for all nodes. Where some have not accepted it, the leaves of the document decide:
// a loser takes its revision away, a winner seals its own twice, if a majority of the nodes is connected and no other
// writer may have sealed one meanwhile. A CouchDB alone,
// and what knows no nodes, is asked nothing special.
func TestWritesToACluster(t *testing.T) {
	t.Parallel()
	const (
		all   = `"1","2","3"`
		mine  = `{"ok":{"_id":"a","_rev":"2-mine","_revisions":{"start":2,"ids":["mine","base"]}}}`
		later = `{"ok":{"_id":"a","_rev":"3-later","_revisions":{"start":3,"ids":["later","mine","base"]}}}`
		other = `{"ok":{"_id":"a","_rev":"2-other","_revisions":{"start":2,"ids":["other","base"]}}}`
		gone  = `{"ok":{"_id":"a","_rev":"3-gone","_deleted":true,"_revisions":{"start":3,"ids":["gone","mine","base"]}}}`
		low   = `{"ok":{"_id":"a","_rev":"2-low","_revisions":{"start":2,"ids":["low","base"]}}}`
		won   = `{"ok":{"_id":"a","_rev":"3-sealed","_revisions":{"start":3,"ids":["sealed","mine","base"]}}}`
		beat  = `{"ok":{"_id":"a","_rev":"3-a","_revisions":{"start":3,"ids":["a","other","base"]}}}`
		beats = `{"ok":{"_id":"a","_rev":"4-a","_revisions":{"start":4,"ids":["a","b","other","base"]}}}`
		dead  = `{"ok":{"_id":"a","_rev":"4-x","_deleted":true,"_revisions":{"start":4,"ids":["x","a","other","base"]}}}`
		taken = `{"ok":{"_id":"a","_rev":"3-taken","_deleted":true,"_revisions":{"start":3,"ids":["taken","x","base"]}}}`
	)
	ask := []string{"PUT w=3", "membership", "leaves r=3"}
	once := slices.Concat(ask, []string{"push w=3", "seal w=2", "leaves r=3"})
	for _, test := range []struct {
		name, info, connected string
		status                int
		leaves, sealed        string
		kind                  fault.Kind // of the error of Put and PutMany
		rev                   string
		requests              []string
	}{
		{"accepted by all", three, all, 201, mine, "", 0, "2-mine", []string{"PUT w=3"}},
		{"won", three, all, 202, low + "," + taken + "," + mine, low + "," + taken + "," + won, 0, "3-sealed",
			slices.Concat(once, []string{"seal w=2"})},
		{"one node away", three, `"1","2"`, 202, mine, won, 0, "3-sealed",
			slices.Concat(ask, []string{"push w=2", "seal w=2", "leaves r=3", "seal w=2"})},
		{"two nodes away", three, `"1"`, 202, mine, "", fault.DatastorePartial, "", []string{"PUT w=3", "membership"}},
		{"another has gone on", three, all, 202, later, "", fault.DatastorePartial, "", ask},
		{"another has removed it", three, all, 202, gone, "", fault.DatastorePartial, "", ask},
		{"lost", three, all, 202, mine + "," + other, "", fault.Conflict, "", slices.Concat(ask, []string{"DELETE 2-minew=3"})},
		{"another is sealed, too", three, all, 202, mine, won + "," + beat, fault.DatastorePartial, "", once},
		{"another was sealed, and is removed", three, all, 202, mine, won + "," + dead, fault.DatastorePartial, "", once},
		{"another is stored", three, all, 202, mine, won + "," + beats, fault.Conflict, "",
			slices.Concat(once, []string{"DELETE 3-sealedw=3"})},
		{"alone", alone, all, 202, other, "", 0, "2-mine", []string{"PUT w="}},
		{"no nodes", `"doc_count":0`, all, 201, other, "", 0, "2-mine", []string{"PUT w="}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, many := range []bool{false, true} {
				n := &nodes{
					T: t, info: test.info, connected: test.connected, status: test.status, leaves: test.leaves,
					sealed: test.sealed,
				}
				s, doc, want := n.open(), document.Document{"_id": "a", "_rev": "1-base"}, slices.Clone(test.requests)
				var w store.Written
				if many {
					written, err := s.PutMany(t.Context(), "db", []document.Document{doc})
					if err != nil || len(written) != 1 {
						t.Fatalf("put many: %v, %v", written, err)
					}
					w, want[0] = written[0], "POST"+want[0][3:]
				} else {
					w.Rev, w.Err = s.Put(t.Context(), "db", doc)
				}
				if w.Rev != test.rev || (w.Err != nil) != (test.kind != 0) || w.Err != nil && !fault.Is(w.Err, test.kind) {
					t.Errorf("many %t: %q, %v", many, w.Rev, w.Err)
				}
				if signed := doc[store.FieldWriter] != nil; signed != (test.info == three) {
					t.Errorf("many %t: signed %t", many, signed)
				}
				n.mu.Lock()
				if got := n.requests[:min(len(n.requests), len(want))]; !slices.Equal(got, want) {
					t.Errorf("many %t: requests %q, want %q", many, n.requests, want)
				}
				n.mu.Unlock()
			}
		})
	}
}

// TestContestedWrite: until it is known which of two writers of a document has won, that document is not written. Others
// are, since all nodes respond.
func TestContestedWrite(t *testing.T) {
	t.Parallel()
	n := &nodes{T: t, info: three, status: 202, connected: `"1","2","3"`, then: `"1"`} // so that it stays open
	n.leaves = `{"ok":{"_id":"a","_rev":"3-later","_revisions":{"start":3,"ids":["later","mine","base"]}}}`
	s := n.open()
	for _, test := range []struct {
		id   string
		kind fault.Kind
	}{{"a", fault.DatastorePartial}, {"a", fault.DatastorePartial}, {"b", 0}} {
		_, err := s.Put(t.Context(), "db", document.Document{"_id": test.id, "_rev": "1-base"})
		if (err != nil) != (test.kind != 0) || err != nil && !fault.Is(err, test.kind) {
			t.Errorf("%s: %v", test.id, err)
		}
		n.mu.Lock()
		n.status = 201
		n.mu.Unlock()
	}
	if err := s.Writable(t.Context(), "db"); err != nil {
		t.Error(err)
	}
}

// TestTombstonesAreSigned: two deletions of one revision are two revisions (R7). Copies in accounts' databases and
// design documents are not signed.
func TestTombstonesAreSigned(t *testing.T) {
	t.Parallel()
	n := &nodes{T: t, info: three, status: 201}
	s := n.open()
	if err := s.Delete(t.Context(), "db", "a", "1-base"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"PUT w=3"}; !slices.Equal(n.requests, want) {
		t.Errorf("requests %q, want %q", n.requests, want)
	}
	for db, id := range map[string]string{"account/00/00/a": "a", "db": "_design/a"} {
		doc := document.Document{"_id": id}
		if _, err := s.Put(t.Context(), db, doc); err != nil || len(doc) != 1 {
			t.Errorf("%s %s: %v, %v", db, id, doc, err)
		}
	}
}

// TestUpdateOnACluster: a writer who has lost starts from what all nodes have, since most of them may not know of the
// winner yet.
func TestUpdateOnACluster(t *testing.T) {
	t.Parallel()
	n := &nodes{T: t, info: three, status: 202, connected: `"1","2","3"`}
	n.leaves = `{"ok":{"_id":"a","_rev":"2-other","_revisions":{"start":2,"ids":["other","base"]}}}`
	attempts := 0
	doc, err := n.open().Update(t.Context(), "db", "a", func(doc document.Document) error {
		if attempts++; attempts == 2 {
			if doc.Rev() != "2-other" || doc["_revisions"] != nil {
				t.Errorf("handed over %v", doc)
			}
			n.mu.Lock()
			n.status = 201
			n.mu.Unlock()
		}
		return nil
	})
	want := []string{"get", "PUT w=3", "membership", "leaves r=3", "DELETE 2-minew=3", "leaves r=3", "PUT w=3"}
	if err != nil || doc.Rev() != "2-mine" || !slices.Equal(n.requests, want) {
		t.Errorf("%v, %v after %q", doc, err, n.requests)
	}
}

// TestRacesOnACluster: of writers on several nodes over one revision one wins, alone and in bulk, be they deletions, and
// no conflict is left.
func TestRacesOnACluster(t *testing.T) {
	t.Parallel()
	var stores []*store.Store
	for _, node := range storetest.ClusterNodes(t) {
		stores = append(stores, open(t, node))
	}
	db := storetest.NewDatabase(t, stores[0])
	const writers, rounds, bulk = 12, 15, 5
	for round := range rounds {
		var base []document.Document
		for i := range bulk {
			doc := document.Document{"_id": fmt.Sprintf("%d-%d", round, i)}
			rev, err := stores[0].Put(t.Context(), db, doc)
			if err != nil {
				t.Fatal(err)
			}
			doc["_rev"] = rev
			base = append(base, doc)
		}
		outcomes := make([][]store.Written, writers)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				var docs []document.Document
				for _, doc := range base[:1+round%2*(bulk-1)] {
					next := document.Document{"_id": doc.ID(), "_rev": doc.Rev()}
					if round%3 == 0 {
						next["_deleted"] = true
					}
					docs = append(docs, next)
				}
				var err error
				if outcomes[w], err = stores[w%len(stores)].PutMany(t.Context(), db, docs); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i := range outcomes[0] {
			var won []string
			for _, written := range outcomes {
				switch err := written[i].Err; {
				case err == nil:
					won = append(won, written[i].Rev)
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			}
			if len(won) != 1 {
				t.Errorf("round %d, document %d: %d winners", round, i, len(won))
				continue
			}
			doc, err := stores[0].Get(t.Context(), db, base[i].ID())
			switch deleted := round%3 == 0; {
			case deleted && !fault.Is(err, fault.BadIdentifier):
				t.Errorf("round %d, document %d was deleted: %v, %v", round, i, doc, err)
			case !deleted && (err != nil || doc.Rev() != won[0] || doc["_conflicts"] != nil):
				t.Errorf("round %d, document %d: %v, %v, won %v", round, i, doc, err, won)
			}
		}
	}
}
