package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

func databasesExistOnceCreated(s *subject) {
	s.ok(s.Ping(s.Context()))
	db := s.db + "/later"
	for _, want := range []bool{false, true, true} {
		exists, err := s.DatabaseExists(s.Context(), db)
		s.ok(err)
		if exists != want {
			s.Errorf("exists: %t, want %t", exists, want)
		}
		s.ok(s.CreateDatabase(s.Context(), db))
	}
}

func databasesAreApart(s *subject) {
	other := NewDatabase(s, s.Store)
	s.put(`{"_id":"a"}`)
	_, err := s.Get(s.Context(), other, "a")
	testutil.RequireFault(s, err, fault.BadIdentifier)
	s.ok(s.CreateDatabase(s.Context(), s.db)) // again, and nothing is lost
	s.get("a")
}

// databasesListed: names are listed as they are, with a plus sign, too, which means a space in a path unless it is
// escaped. (PouchDB drops slashes from the names that it lists.)
func databasesListed(s *subject) {
	name := strings.ReplaceAll(s.db, "/", "-") + "a+b"
	s.ok(s.CreateDatabase(s.Context(), name))
	_, err := s.Put(s.Context(), name, document.Document{"_id": "a+b"})
	s.ok(err)
	_, err = s.Get(s.Context(), name, "a+b")
	s.ok(err)
	names, err := s.Databases(s.Context())
	s.ok(err)
	if !slices.Contains(names, name) || !slices.IsSorted(names) {
		s.Errorf("%q is not in %q", name, names)
	}
}

// missingDatabase: an account database that is not there is told from a document that is not.
func missingDatabase(s *subject) {
	db := s.db + "/missing"
	ctx := s.Context()
	calls := map[string]func() error{
		"Get":         func() error { _, err := s.Get(ctx, db, "a"); return err },
		"GetRevision": func() error { _, err := s.GetRevision(ctx, db, "a", "1-a"); return err },
		"GetMany":     func() error { _, err := s.GetMany(ctx, db, []string{"a", "b"}); return err },
		"GetMany one": func() error { _, err := s.GetMany(ctx, db, []string{"a"}); return err },
		"Put":         func() error { _, err := s.Put(ctx, db, document.Document{"_id": "a"}); return err },
		"PutMany": func() error {
			_, err := s.PutMany(ctx, db, []document.Document{{"_id": "a"}})
			return err
		},
		"Update": func() error {
			_, err := s.Update(ctx, db, "a", func(document.Document) error { return nil })
			return err
		},
		"Delete":     func() error { return s.Delete(ctx, db, "a", "1-967a00dff5e02add41819138abb3284d") },
		"Attachment": func() error { _, err := s.Attachment(ctx, db, "a", "key"); return err },
		"All": func() error {
			return s.All(ctx, db, store.Query{}, func(store.Row) error { return nil })
		},
		"Install": func() error { return s.Install(ctx, db, letters(s)) },
		"View": func() error {
			return s.View(ctx, db, "letters", "all", store.Query{}, func(store.Row) error { return nil })
		},
	}
	for name, call := range calls {
		if err := call(); !fault.Is(err, fault.DatastoreMissing) {
			s.Errorf("%s: want %s, got %v", name, fault.DatastoreMissing, err)
		}
	}
}

// cancelledContext: nothing is written for a client that is gone.
func cancelledContext(s *subject) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := s.Put(ctx, s.db, document.Document{"_id": "a"})
	if !errors.Is(err, context.Canceled) {
		s.Errorf("put: %v", err)
	}
	_, err = s.PutMany(ctx, s.db, []document.Document{{"_id": "a"}})
	if !errors.Is(err, context.Canceled) {
		s.Errorf("put many: %v", err)
	}
	_, err = s.Get(s.Context(), s.db, "a")
	testutil.RequireFault(s, err, fault.BadIdentifier)
	if _, err := s.Get(ctx, s.db, "a"); !errors.Is(err, context.Canceled) {
		s.Errorf("get: %v", err)
	}
}
