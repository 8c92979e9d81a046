package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/document"
)

// TestPagesOfLongDocuments: a page ends with a document that makes it too long, also where the next one begins with it.
func TestPagesOfLongDocuments(t *testing.T) {
	t.Parallel()
	s, err := Open("memory:", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CreateDatabase(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for id, length := range []int{400, 400, 400, 2000, 1, 2000, 2000} {
		doc := document.Document{"_id": fmt.Sprint(id), "text": strings.Repeat("x", length)}
		if _, err := s.Put(t.Context(), "a", doc); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	err = allPages(t.Context(), s, "a", 100, 1000, func(docs []document.Document) error {
		for _, doc := range docs {
			seen = append(seen, doc.ID())
		}
		seen = append(seen, "|")
		return nil
	})
	if want := []string{"0", "1", "2", "|", "3", "|", "4", "5", "|", "6", "|"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("%q, %v", seen, err)
	}
}
