package store

import (
	"context"
	"fmt"
)

// Sequences returns where the feeds of databases are now, in their order, "" for a database that does not exist. While
// a result stays the same, nothing was written. A CouchDB takes at most 100 at a time, and one on several
// nodes may say that one has moved which has not.
func (s *Store) Sequences(ctx context.Context, dbs []string) (sequences []string, err error) {
	if len(dbs) == 0 {
		return nil, nil // of none a CouchDB says that it was not asked properly
	}
	err = s.call("sequences", "", func() error {
		all, err := s.client.DBsStats(ctx, dbs)
		if err != nil {
			return err
		}
		if len(all) != len(dbs) {
			return fmt.Errorf("%d results for %d databases", len(all), len(dbs))
		}
		sequences = make([]string, len(all))
		for i, stats := range all {
			if stats != nil {
				sequences[i] = stats.UpdateSeq
			}
		}
		return nil
	})
	return sequences, err
}
