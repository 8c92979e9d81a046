package store_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// TestUpdatePausesBetweenAttempts: a writer that is always overtaken gives up after ten attempts with pauses in between
// that grow.
func TestUpdatePausesBetweenAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "memory:")
		if err := s.CreateDatabase(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		var at []time.Time
		_, err := s.Update(t.Context(), "a", "x", func(doc document.Document) error {
			at = append(at, time.Now())
			return overtake(t.Context(), s, doc)
		})
		if !fault.Is(err, fault.Conflict) || len(at) != 10 {
			t.Fatalf("%d attempts, %v", len(at), err)
		}
		first, last := at[1].Sub(at[0]), at[9].Sub(at[8])
		if first <= 0 || last < 10*first {
			t.Errorf("paused %v at first and %v at last", first, last)
		}
	})
}

// overtake writes doc before its reader does.
func overtake(ctx context.Context, s *store.Store, doc document.Document) error {
	other := doc.Clone()
	other["n"] = document.Number(time.Now().UnixNano())
	_, err := s.Put(ctx, "a", other)
	return err
}
