package store_test

import (
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

var kept = fstest.MapFS{"kept.json": {Data: []byte(`{"database": "account/aa/bb/cc", "docs": [
	{"_id": "_design/own", "language": "javascript", "views": {"ids": {"map": "function(doc) { emit(doc._id); }"}}},
	{"_id": "a", "n": 1, "_attachments": {"key": {"content_type": "text/plain", "data": "c2VjcmV0"}}}
]}`)}}

const keptDB = "account/aa/bb/cc"

// TestReopen: a folder keeps documents, attachments and views beyond the process.
func TestReopen(t *testing.T) {
	t.Parallel()
	dsn := filepath.Join(t.TempDir(), "new", "folder")
	s := open(t, dsn)
	storetest.Load(t, s, kept)
	doc, err := s.Get(t.Context(), keptDB, "a")
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, s, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dsn)
	again, err := s.Get(t.Context(), keptDB, "a")
	if err != nil || again.Rev() != doc.Rev() {
		t.Fatalf("got %v, %v; stored was %v", again, err, doc)
	}
	content, err := s.Attachment(t.Context(), keptDB, "a", "key")
	if err != nil || string(content) != "secret" {
		t.Errorf("attachment %q, %v", content, err)
	}
	wantIDs(t, s, "a")
	again["n"] = document.Number(2)
	if _, err := s.Put(t.Context(), keptDB, again); err != nil {
		t.Errorf("over a revision from before: %v", err)
	}
	if _, err := s.Put(t.Context(), keptDB, document.Document{"_id": "b"}); err != nil {
		t.Error(err)
	}
	wantIDs(t, s, "a", "b")
}

func wantIDs(t *testing.T, s *store.Store, want ...string) {
	t.Helper()
	var got []string
	err := s.View(t.Context(), keptDB, "own", "ids", store.Query{}, func(row store.Row) error {
		got = append(got, row.ID())
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the view has %v, %v, want %v", got, err, want)
	}
}
