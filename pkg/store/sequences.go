package store

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Sequences answers where the feeds of databases are now, in their order, "" for a database that does not exist. While
// an answer stays the same, nothing was written. A CouchDB takes at most 100 at a time, and may say that one has
// moved which has not.
func (s *Store) Sequences(ctx context.Context, dbs []string) (sequences []string, err error) {
	err = s.call("sequences", "", func() error {
		all, err := s.client.DBsStats(ctx, dbs)
		if err != nil {
			return err
		}
		if len(all) != len(dbs) {
			return fmt.Errorf("%d answers for %d databases", len(all), len(dbs))
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

// sequencesTime bounds how long a CouchDB may think about Sequences: kivik 4.5 asks it for as long as it takes,
// whatever the caller's context says (couchdb.client.DBsStats), and until then the store could not be closed.
const sequencesTime = 2 * time.Second

// impatient is a transport that gives up on Sequences.
type impatient struct{ http.RoundTripper }

// RoundTrip is an http.RoundTripper's.
func (t impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_dbs_info") {
		ctx, cancel := context.WithCancel(r.Context())
		time.AfterFunc(sequencesTime, cancel)
		r = r.WithContext(ctx)
	}
	return t.RoundTripper.RoundTrip(r)
}
