package store_test

import (
	"fmt"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestPagesWithinOneKey pages through rows of one key, which PouchDB cannot.
func TestPagesWithinOneKey(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, "memory:")
	if err := s.CreateDatabase(t.Context(), "db"); err != nil {
		t.Fatal(err)
	}
	docs := []document.Document{{"_id": "_design/d", "language": "javascript", "views": map[string]any{
		"same": map[string]any{"map": "function(doc) { emit('same', null); }"},
	}}}
	const total = 25
	for i := range total {
		docs = append(docs, document.Document{"_id": fmt.Sprintf("doc%02d", i)})
	}
	if _, err := s.PutMany(t.Context(), "db", docs); err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= total+1; size++ {
		n := 0
		err := store.ViewPages(t.Context(), s, "db", "d", "same", size, func(ids []string) error {
			for _, id := range ids {
				if want := fmt.Sprintf("doc%02d", n); id != want {
					t.Errorf("pages of %d: %s in the place of %s", size, id, want)
				}
				n++
			}
			return nil
		})
		if err != nil || n != total {
			t.Errorf("pages of %d: %d ids, %v", size, n, err)
		}
	}
}
