package store_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestText: a text is the document, as JSON.
func TestText(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{
		"memory": func(testing.TB) string { return "memory:" },
		"HTTP":   storetest.FreshCouch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, dsn(t))
			if err := s.CreateDatabase(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			doc := document.Document{"_id": "x", "b": "<é>", "a": []any{true}}
			rev, err := s.Put(t.Context(), "a", doc)
			if err != nil {
				t.Fatal(err)
			}
			doc["_rev"] = rev
			checkText(t, s, doc)
			for _, missing := range []struct {
				db, id string
				kind   fault.Kind
			}{{"a", "y", fault.BadIdentifier}, {"b", "x", fault.DatastoreMissing}} {
				if text, err := s.Text(t.Context(), missing.db, missing.id); !fault.Is(err, missing.kind) || text != nil {
					t.Errorf("%s/%s: %s, %v", missing.db, missing.id, text, err)
				}
			}
		})
	}
}

func checkText(t *testing.T, s *store.Store, want map[string]any) {
	t.Helper()
	text, err := s.Text(t.Context(), "a", "x")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %s, %v", text, err)
	}
}
