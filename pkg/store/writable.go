package store

import (
	"context"
	"net/http"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/fault"
)

// probeID is the document that Writable writes.
const probeID = "_local/junctor_probe"

// Writable returns an error if a write to db would not be accepted now.
//
// In a CouchDB it writes a small document. Nothing less shows that its disk is full: a write with a revision that can't
// match is a conflict before CouchDB opens its file, and neither /_up nor the statistics of a database show it.
// A _local document is the cheapest write: it has no history and is neither replicated nor in views and feeds. It adds
// some 10 KB to the file until CouchDB compacts that, so call Writable only if the result is needed.
//
// The embedded store looks at its file and its disk and writes nothing that lasts.
func (s *Store) Writable(ctx context.Context, db string) error {
	if s.couch == nil {
		return s.Ping(ctx)
	}
	if s.unconfirmed.refuses(db, nil) {
		return fault.Wrap(fault.DatastorePartial, errWaiting)
	}
	return s.call("probe", db, func() error {
		_, err := s.client.DB(db).Put(ctx, probeID, map[string]any{"_id": probeID})
		if kivik.HTTPStatus(err) == http.StatusConflict {
			return nil // PouchDB wants the revision of a _local document: it looked at the write, and that is enough
		}
		return err
	})
}
