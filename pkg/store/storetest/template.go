package storetest

import (
	"os"
	"sync"
	"testing"

	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// Template is an embedded store that is filled once for many tests. Each of them gets a copy.
type Template struct {
	Fill func(t testing.TB, s *store.Store)

	once sync.Once
	file []byte
}

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
