package testutil_test

import (
	"testing"

	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestLoadKazoo loads everything into each kind of store, and reads a view of Kazoo's there.
func TestLoadKazoo(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *store.Store{
		"embedded": func(t *testing.T) *store.Store { return storetest.Open(t, "memory:") },
		"CouchDB":  func(t *testing.T) *store.Store { return storetest.Open(t, storetest.FreshCouch(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			testutil.LoadKazoo(t, s)
			rows := 0
			err := s.View(t.Context(), "accounts", "accounts", "listing_by_id", store.Query{}, func(row store.Row) error {
				var key []any
				rows++
				return row.Key(&key)
			})
			if err != nil || rows != 4 {
				t.Errorf("%d accounts, %v", rows, err)
			}
		})
	}
}
