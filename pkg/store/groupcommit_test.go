package store_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// bulkGate is a proxy before a CouchDB. It holds the write of the document "first" back until it has a bulk. It refuses a
// bulk that has a document with the field "refused".
type bulkGate struct {
	*testing.T
	*store.Store // behind it
	db           string
	held         chan struct{} // closed when it holds that write back
	written      chan struct{} // closed when a bulk has its response
	once         sync.Once
	writers      sync.WaitGroup
}

func newBulkGate(t *testing.T) *bulkGate {
	t.Helper()
	couch, err := url.Parse(storetest.CouchDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	g := &bulkGate{T: t, held: make(chan struct{}), written: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		isBulk := strings.HasSuffix(r.URL.Path, "/_bulk_docs")
		if strings.HasSuffix(r.URL.Path, "/first") && r.Method == http.MethodPut {
			close(g.held)
			select {
			case <-g.written:
			case <-r.Context().Done():
			}
		}
		if isBulk {
			defer g.once.Do(func() { close(g.written) })
		}
		if isBulk && bytes.Contains(body, []byte(`"refused"`)) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			_, _ = io.WriteString(w, `{"error":"document_too_large","reason":"refused"}`)
			return
		}
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = couch.Scheme, couch.Host, ""
		out.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	g.db = storetest.NewDatabase(t, open(t, couch.String()))
	proxy := *couch
	proxy.Host = strings.TrimPrefix(server.URL, "http://")
	g.Store = open(t, proxy.String())
	return g
}

// put writes a document while others are written, and checks the outcome.
func (g *bulkGate) put(doc document.Document, check func(rev string, err error)) {
	g.writers.Go(func() { check(g.Put(g.Context(), g.db, doc)) })
}

// begin writes the document that is held back.
func (g *bulkGate) begin() {
	g.put(document.Document{"_id": "first"}, func(string, error) {}) // it may take too long
	<-g.held
}

// end waits for all writes.
func (g *bulkGate) end() {
	g.Helper()
	g.writers.Wait()
	select {
	case <-g.written:
	default:
		g.Error("all writes were sent alone")
	}
}

// stored checks that a document was written.
func (g *bulkGate) stored(id string) func(rev string, err error) {
	return func(rev string, err error) {
		doc, readErr := g.Get(g.Context(), g.db, id)
		if err != nil || readErr != nil || doc.Rev() != rev {
			g.Errorf("%s: %s, %v; stored %v, %v", id, rev, err, doc, readErr)
		}
	}
}

// TestGroupCommit: writes that come while another one is on its way are sent in bulk, and each has its own outcome: of
// two of one document one is a conflict, and so is one over a revision that is gone.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	g := newBulkGate(t)
	stale, err := g.Put(t.Context(), g.db, document.Document{"_id": "stale"})
	if err == nil {
		_, err = g.Put(t.Context(), g.db, document.Document{"_id": "stale", "_rev": stale, "n": "2"})
	}
	if err != nil {
		t.Fatal(err)
	}
	g.begin()
	var conflicts atomic.Int64
	for range 2 {
		g.put(document.Document{"_id": "twice"}, func(_ string, err error) {
			if fault.Is(err, fault.Conflict) {
				conflicts.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	g.put(document.Document{"_id": "stale", "_rev": stale}, func(_ string, err error) {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("over a revision that is gone: %v", err)
		}
	})
	for n := range 10 {
		id := fmt.Sprint("other", n)
		g.put(document.Document{"_id": id}, g.stored(id))
	}
	g.end()
	if n := conflicts.Load(); n != 1 {
		t.Errorf("of two writes of one document, %d are conflicts", n)
	}
}

// TestGroupRefused: a document for which a CouchDB refuses a bulk prevents none of the other writes in it.
func TestGroupRefused(t *testing.T) {
	t.Parallel()
	g := newBulkGate(t)
	g.begin()
	for n := range 10 {
		id := fmt.Sprint("doc", n)
		doc := document.Document{"_id": id}
		if n == 5 {
			doc["refused"] = true
		}
		g.put(doc, g.stored(id))
	}
	g.end()
}
