package main

import (
	"strings"
	"testing"

	"junctor/pkg/store/storetest"
)

// TestClaim: a CouchDB with somebody's data is left alone, an empty one or the tests' own is left empty.
func TestClaim(t *testing.T) {
	t.Parallel()
	dsn := storetest.FreshCouch(t)
	s := storetest.Open(t, dsn)
	create := func(db string) {
		t.Helper()
		if err := s.CreateDatabase(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	exists := func(db string) bool {
		t.Helper()
		found, err := s.DatabaseExists(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	create(marker)
	create("account/aa/bb/cc")
	couch, err := claim(t.Context(), dsn)
	if err != nil || exists("account/aa/bb/cc") || !exists(marker) {
		t.Fatalf("%v", err)
	}
	create("left")
	if err := couch.release(t.Context()); err != nil || exists("left") || exists(marker) {
		t.Errorf("%v", err)
	}
	create("somebodys")
	_, err = claim(t.Context(), dsn)
	if err == nil || !strings.Contains(err.Error(), "somebodys") || !exists("somebodys") {
		t.Errorf("%v", err)
	}
}
