package storetest

import (
	"os"
	"sync"
	"testing"

	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
	"junctor/pkg/testutil"
)

// Open opens a store and closes it when the test ends, without an error.
func Open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Template is an embedded store that is filled once for many tests. Each of them gets a copy.
type Template struct {
	Fill func(t testing.TB, s *store.Store)

	once sync.Once
	file []byte
}

// Kazoo is a store with what a real Kazoo wrote.
var Kazoo = Template{Fill: testutil.LoadKazoo}

// Open returns a copy of the filled store. It closes the copy when the test ends.
func (p *Template) Open(t testing.TB) *store.Store {
	t.Helper()
	p.once.Do(func() { p.fill(t) })
	folder := t.TempDir()
	if err := os.WriteFile(embedded.File(folder), p.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(t, folder)
}

func (p *Template) fill(t testing.TB) {
	t.Helper()
	folder := t.TempDir()
	s, err := store.Open(folder, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if p.file, err = os.ReadFile(embedded.File(folder)); err != nil {
		t.Fatal(err)
	}
}
