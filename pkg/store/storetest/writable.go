package storetest

// writable: to see whether a write would be accepted leaves nothing in the database's feed.
func writable(s *subject) {
	s.put(`{"_id":"a"}`)
	before, _, err := s.Position(s.Context(), s.db)
	if err != nil {
		s.Fatal(err)
	}
	for range 3 {
		if err := s.Writable(s.Context(), s.db); err != nil {
			s.Error(err)
		}
	}
	after, _, err := s.Position(s.Context(), s.db)
	if err != nil || after != before {
		s.Errorf("the feed went from %s to %s, %v", before, after, err)
	}
}
