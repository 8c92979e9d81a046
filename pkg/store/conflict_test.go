package store_test

import (
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// TestConflictsAreCounted: each document whose write loses to another writer counts once, in a bulk, too (N9).
func TestConflictsAreCounted(t *testing.T) {
	t.Parallel()
	counted := map[string]int{}
	s, err := store.Open("memory:", store.Options{Conflict: func(database string) { counted[database]++ }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db := "account/00/00/1"
	must(s.CreateDatabase(t.Context(), db))
	must(s.CreateDatabase(t.Context(), db))
	must(s.InstallIfMissing(t.Context(), db, document.Document{"_id": "_design/a"}))
	must(s.InstallIfMissing(t.Context(), db, document.Document{"_id": "_design/a"}))
	first, err := s.Put(t.Context(), db, document.Document{"_id": "a"})
	must(err)
	_, err = s.Put(t.Context(), db, document.Document{"_id": "a", "_rev": first, "n": 1})
	must(err)
	if len(counted) != 0 {
		t.Errorf("counted %v", counted)
	}
	_, _ = s.Put(t.Context(), db, document.Document{"_id": "a"})
	_ = s.Delete(t.Context(), db, "a", first)
	_, err = s.PutMany(t.Context(), db, []document.Document{{"_id": "a"}, {"_id": "b"}, {"_id": "a", "_rev": first}})
	must(err)
	if counted["account"] != 4 || len(counted) != 1 {
		t.Errorf("counted %v", counted)
	}
}
