package store_test

import (
	"testing"

	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, "memory:") })
}

func TestFile(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, t.TempDir()) })
}

func TestCouchDB(t *testing.T) {
	t.Parallel()
	dsn := storetest.CouchDSN(t)
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, dsn) })
}

func open(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
