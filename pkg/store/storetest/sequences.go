package storetest

import (
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// sequences: they tell whether a database was written to, each in its place, those that do not exist included.
func sequences(s *subject) {
	dbs := []string{s.db, s.db + "/missing", NewDatabase(s.T, s.Store)}
	heads := func() []string {
		s.Helper()
		heads, err := s.Sequences(s.Context(), dbs)
		s.ok(err)
		if len(heads) != 3 || heads[0] == "" || heads[1] != "" || heads[2] == "" {
			s.Fatalf("heads are %q", heads)
		}
		return heads
	}
	nodes, err := s.Nodes(s.Context(), s.db)
	s.ok(err)
	expect := func(moves bool, what string, do func() error) {
		s.Helper()
		before := heads()
		s.ok(do())
		after := heads()
		moved := before[0] != after[0]
		if moves && !moved || nodes == 1 && (moved != moves || before[2] != after[2]) { // each node has a feed of its own
			s.Errorf("%s: from %q to %q", what, before, after)
		}
	}
	var rev string
	expect(false, "nothing", func() error { return nil })
	expect(true, "put", func() (err error) {
		rev, err = s.Put(s.Context(), s.db, s.parse(`{"_id":"a"}`))
		return err
	})
	expect(false, "update without a change", func() error {
		_, err := s.Update(s.Context(), s.db, "a", func(document.Document) error { return store.ErrUnchanged })
		return err
	})
	expect(true, "delete", func() error { return s.Delete(s.Context(), s.db, "a", rev) })
	if none, err := s.Sequences(s.Context(), nil); err != nil || len(none) != 0 {
		s.Errorf("of none: %q, %v", none, err)
	}
}
