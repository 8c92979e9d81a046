package store

import (
	"context"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/document"
)

// GetDeleted reads what is left of several deleted documents, keyed by id: "_id", "_rev", "_deleted" and the fields that
// each was deleted with. there has the ids of those that exist. Ids that were never used are in neither.
func (s *Store) GetDeleted(
	ctx context.Context, db string, ids []string,
) (gone map[string]document.Document, there map[string]bool, err error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	revs := map[string]string{} // by id
	there = map[string]bool{}
	err = s.call("get_many", db, func() error {
		rows := s.client.DB(db).AllDocs(ctx, kivik.Params(map[string]any{"keys": ids}))
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var value struct {
				Rev     string
				Deleted bool
			}
			id, err := rows.ID()
			switch {
			case err != nil || rows.ScanValue(&value) != nil || value.Rev == "": // "not_found"
			case value.Deleted:
				revs[id] = value.Rev
			default:
				there[id] = true
			}
		}
		return rows.Err()
	})
	gone = make(map[string]document.Document, len(revs))
	for id, rev := range revs {
		if err != nil {
			break
		}
		gone[id], err = s.GetRevision(ctx, db, id, rev)
	}
	return gone, there, err
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
