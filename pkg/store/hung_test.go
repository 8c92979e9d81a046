package store_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/requesttime"
)

// hungNode returns the address of a CouchDB cluster of which a node hangs, and how many writes were sent to it.
func hungNode(t *testing.T) (address string, writes *atomic.Int64) {
	writes = new(atomic.Int64)
	end := make(chan struct{})
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.ReadAll(r.Body)
		if r.Method == http.MethodGet {
			_, _ = fmt.Fprintf(w, `{"db_name":"db","update_seq":"0-x",%s}`, three)
			return
		}
		writes.Add(1)
		select { // as CouchDB, which responds with 202 when its own request of a node has timed out
		case <-time.After(time.Minute):
		case <-r.Context().Done():
		case <-end:
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"ok":true,"id":"a","rev":"1-a"}`)
	}))
	t.Cleanup(cluster.Close)
	t.Cleanup(func() { close(end) })
	return cluster.URL, writes
}

// TestHungNode: while a node of a cluster hangs, a write to all nodes fails soon, and further ones at once, without
// being sent (R5).
func TestHungNode(t *testing.T) {
	t.Parallel()
	address, writes := hungNode(t)
	s := open(t, address)
	for range 5 {
		began := time.Now()
		_, err := s.Put(t.Context(), "db", document.Document{"_id": "a"})
		if took := time.Since(began); !fault.Is(err, fault.DatastorePartial) || took > 30*time.Second {
			t.Fatalf("after %s: %v", took, err)
		}
	}
	if n := writes.Load(); n != 1 {
		t.Errorf("%d writes were sent", n)
	}
}

// TestContestedOnHungNode: the leaves of documents are not waited for, as long as the node hangs.
func TestContestedOnHungNode(t *testing.T) {
	t.Parallel()
	address, _ := hungNode(t)
	began := time.Now()
	if _, err := open(t, address).Contested(t.Context(), "db", []string{"a"}); err == nil {
		t.Error("a node that hangs has responded")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestLateWrite: the writes of one request to a cluster have their time together. One for which none is left is not sent.
func TestLateWrite(t *testing.T) {
	t.Parallel()
	address, writes := hungNode(t)
	request := requesttime.Begin(t.Context())
	for i, want := range []fault.Kind{fault.DatastorePartial, fault.DatastoreUnreachable} {
		// Each by a store of its own: one refuses writes once it has one whose outcome is open.
		_, err := open(t, address).Put(request, "db", document.Document{"_id": "a"})
		if !fault.Is(err, want) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if n := writes.Load(); n != 1 {
		t.Errorf("%d writes were sent", n)
	}
}
