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
	states, err := s.states(ctx, db, ids)
	if err != nil {
		return nil, nil, err
	}
	gone, there = map[string]document.Document{}, map[string]bool{}
	for id, state := range states {
		if !state.Deleted {
			there[id] = true
		} else if gone[id], err = s.GetRevision(ctx, db, id, state.Rev); err != nil {
			return nil, nil, err
		}
	}
	return gone, there, nil
}

// state is the winning revision of a document, which may be a tombstone.
type state struct {
	Rev     string
	Deleted bool
}

// states reads the winning revisions of documents, keyed by id. Ids that were never used are left out. Only
// _all_docs has tombstones.
func (s *Store) states(ctx context.Context, db string, ids []string) (map[string]state, error) {
	found := map[string]state{}
	err := s.call("get_many", db, func() error {
		rows := s.client.DB(db).AllDocs(ctx, kivik.Param("keys", ids))
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var st state
			if id, err := rows.ID(); err == nil && rows.ScanValue(&st) == nil && st.Rev != "" { // else it is "not_found"
				found[id] = st
			}
		}
		return rows.Err()
	})
	return found, err
}
