package store

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Tombstone reads what is left of a deleted document: "_id", "_rev", "_deleted" and the fields it was deleted with. A
// document that was never there, or is there, is fault.BadIdentifier.
func (s *Store) Tombstone(ctx context.Context, db, id string) (doc document.Document, err error) {
	rev, err := s.winningRevision(ctx, db, id)
	if err != nil {
		return nil, err
	}
	if doc, err = s.GetRevision(ctx, db, id, rev); err != nil {
		return nil, err
	}
	if !doc.Bool("_deleted") {
		return nil, fault.New(fault.BadIdentifier, "")
	}
	return doc, nil
}

// Tombstones passes what is left of deleted documents to each, as Tombstone returns it, in the order of the deletions,
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
