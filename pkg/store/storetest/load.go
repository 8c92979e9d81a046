package storetest

import (
	"encoding/json"
	"io/fs"
	"os"
	"sync"
	"testing"

	"junctor/pkg/document"
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

// Load fills a store from the *.json files of a folder, each {"database": NAME, "docs": [DOCUMENT, …]} with
// documents as a database stores them, attachments inline and without "_rev". A file without documents makes an
// empty database.
func Load(t testing.TB, s *store.Store, files fs.FS) {
	t.Helper()
	names, err := fs.Glob(files, "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no *.json to load: %v", err)
	}
	for _, name := range names {
		loadFile(t, s, files, name)
	}
}

func loadFile(t testing.TB, s *store.Store, files fs.FS, name string) {
	t.Helper()
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Database string            `json:"database"`
		Docs     []json.RawMessage `json:"docs"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	docs := make([]document.Document, len(file.Docs))
	for i, raw := range file.Docs {
		if docs[i], err = document.Decode(raw); err != nil {
			t.Fatalf("%s: document %d: %v", name, i, err)
		}
	}
	if err := s.CreateDatabase(t.Context(), file.Database); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	loadDocs(t, s, file.Database, docs)
}

func loadDocs(t testing.TB, s *store.Store, db string, docs []document.Document) {
	t.Helper()
	if len(docs) == 0 {
		return
	}
	written, err := s.PutMany(t.Context(), db, docs)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range written {
		if w.Err != nil {
			t.Fatalf("%s in %s: %v", docs[i].ID(), db, w.Err)
		}
	}
}
