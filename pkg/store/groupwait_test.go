package store

import (
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
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
