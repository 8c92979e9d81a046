package store

import (
	"context"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/document"
)

// GetDeleted reads what is left of several deleted documents, keyed by id: "_id", "_rev", "_deleted" and the fields that
// each was deleted with. Those that exist, or never did, are left out.
func (s *Store) GetDeleted(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	revs := map[string]string{} // by id
	err := s.call("get_many", db, func() error {
		rows := s.client.DB(db).AllDocs(ctx, kivik.Params(map[string]any{"keys": ids}))
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var value struct {
				Rev     string
				Deleted bool
			}
			if id, err := rows.ID(); err == nil && rows.ScanValue(&value) == nil && value.Deleted { // else "not_found"
				revs[id] = value.Rev
			}
		}
		return rows.Err()
	})
	found := make(map[string]document.Document, len(revs))
	for id, rev := range revs {
		if err != nil {
			break
		}
		found[id], err = s.GetRevision(ctx, db, id, rev)
	}
	return found, err
}

// Tombstones passes what is left of deleted documents to each, as GetDeleted does, in the order of the deletions,
// until each returns an error, which is returned. It reads the database's whole feed. each may use the store.
func (s *Store) Tombstones(ctx context.Context, db string, each func(document.Document) error) error {
	for since := ""; ; {
		batch, last, err := s.poll(ctx, db, since, feedTime, map[string]any{})
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, change := range batch {
			if !change.Deleted {
				continue
			}
			doc, err := change.Doc()
			if err == nil {
				err = each(doc)
			}
			if err != nil {
				return err
			}
		}
		since = last
	}
}
