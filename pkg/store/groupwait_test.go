package store

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kivik/kivik/v4/couchdb/chttp"

	"junctor/pkg/document"
	"junctor/pkg/requesttime"
)

// TestGroupWait: a write that gets no response holds those after it up for a moment only.
func TestGroupWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := groups{newest: map[string]*group{}}
		for _, want := range []time.Duration{0, groupWait, groupWait} {
			began := time.Now()
			next, at := g.join("db", document.Document{"_id": "a"})
			docs := g.closeGroup(next)
			if took := time.Since(began); took != want || at != 0 || len(docs) != 1 {
				t.Errorf("%d documents, the last in place %d, after %s, want %s", len(docs), at, took, want)
			}
		}
	})
}

// TestGroupedWrites: on a cluster, where the writes of a request have their time together, none that has little time left
// is sent with others. A design document is sent alone.
func TestGroupedWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Store{couch: &chttp.Client{}}
		s.replicas.Store("single", 1)
		s.replicas.Store("cluster", 3)
		request := requesttime.Begin(t.Context())
		for _, late := range []bool{false, true} {
			if late {
				time.Sleep(allWritesTime - confirmTime + 1)
			}
			for db, want := range map[string]bool{"single": true, "cluster": !late} {
				if got, err := s.isGrouped(request, db, "a"); err != nil || got != want {
					t.Errorf("late %t, %s: %t, %v", late, db, got, err)
				}
			}
		}
		if got, err := s.isGrouped(t.Context(), "cluster", "a"); err != nil || !got {
			t.Errorf("no request: %t, %v", got, err)
		}
		if got, err := s.isGrouped(t.Context(), "single", "_design/a"); err != nil || got {
			t.Errorf("a design document: %t, %v", got, err)
		}
	})
}
