package storetest

import "junctor/pkg/store"

// writable: to see whether a write would be accepted leaves nothing in the database's feed.
func writable(s *subject) {
	s.put(`{"_id":"a"}`)
	for range 3 {
		s.ok(s.Writable(s.Context(), s.db))
	}
	var found []string
	s.ok(s.ChangesSince(s.Context(), s.db, "", func(change store.Change) error {
		doc, err := change.Doc()
		found = append(found, doc.ID())
		return err
	}))
	s.equal(found, "a")
}
