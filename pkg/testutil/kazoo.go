// Package testutil holds what tests of several packages need. Only tests import it.
package testutil

import (
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// kazoo holds the databases of a real Kazoo (kazoo-db) and the design documents that a real Kazoo installs
// (kazoo-views), both as recorded and without revisions.
//
//go:embed testdata/kazoo-db testdata/kazoo-views
var kazoo embed.FS

// database is the content of one file.
type database struct {
	Name string              `json:"database"`
	Docs []document.Document `json:"docs"`
}

// AccountViews is the kind of the design documents that every account's database has.
const AccountViews = "account"

// LoadKazoo fills a store with the databases of a real Kazoo and the design documents that it installs there. That of
// the dedicated IPs is among the documents.
func LoadKazoo(t testing.TB, s *store.Store) {
	t.Helper()
	LoadKazooDocuments(t, s)
	for _, db := range []string{"accounts", "services", "system_auth", "system_config", "system_data", "token_auth"} {
		InstallKazooViews(t, s, db, db)
	}
	for _, db := range read(t) {
		if strings.HasPrefix(db.Name, "account/") {
			InstallKazooViews(t, s, db.Name, AccountViews)
		}
	}
}

// LoadKazooDocuments fills a store as LoadKazoo does, but with the design document of the dedicated IPs only, as a
// junctor without a Kazoo finds it.
func LoadKazooDocuments(t testing.TB, s *store.Store) {
	t.Helper()
	for _, db := range read(t) {
		write(t, s, db.Name, db.Docs)
	}
}

// KazooViews returns the design documents of a kind: the name of one of Kazoo's databases, or AccountViews. With names,
// it returns only those.
func KazooViews(t testing.TB, kind string, names ...string) (designs []document.Document) {
	t.Helper()
	for _, design := range readFile(t, "testdata/kazoo-views/"+kind+".json").Docs {
		if len(names) == 0 || slices.Contains(names, strings.TrimPrefix(design.ID(), "_design/")) {
			designs = append(designs, design)
		}
	}
	if len(designs) == 0 || len(names) > 0 && len(designs) != len(names) {
		t.Fatalf("kazoo-views: %s has no design documents %v", kind, names)
	}
	return designs
}

// KazooDocument returns a document of one of Kazoo's databases.
func KazooDocument(t testing.TB, db, id string) document.Document {
	t.Helper()
	for _, file := range read(t) {
		for _, doc := range file.Docs {
			if file.Name == db && doc.ID() == id {
				return doc
			}
		}
	}
	t.Fatalf("kazoo-db: %s has no %s", db, id)
	return nil
}

// InstallKazooViews installs design documents of a kind in a database, as KazooViews returns them.
func InstallKazooViews(t testing.TB, s *store.Store, db, kind string, names ...string) {
	t.Helper()
	write(t, s, db, KazooViews(t, kind, names...))
}

func read(t testing.TB) (databases []database) {
	t.Helper()
	names, err := fs.Glob(kazoo, "testdata/kazoo-db/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no kazoo-db: %v", err)
	}
	for _, name := range names {
		databases = append(databases, readFile(t, name))
	}
	return databases
}

func readFile(t testing.TB, name string) (db database) {
	t.Helper()
	raw, err := kazoo.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, &db)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return db
}

// write creates a database where it is missing and writes documents into it.
func write(t testing.TB, s *store.Store, db string, docs []document.Document) {
	t.Helper()
	if err := s.CreateDatabase(t.Context(), db); err != nil {
		t.Fatalf("%s: %v", db, err)
	}
	if len(docs) == 0 {
		return
	}
	written, err := s.PutMany(t.Context(), db, docs)
	if err != nil {
		t.Fatalf("%s: %v", db, err)
	}
	for i, w := range written {
		if w.Err != nil {
			t.Fatalf("%s in %s: %v", docs[i].ID(), db, w.Err)
		}
	}
}
