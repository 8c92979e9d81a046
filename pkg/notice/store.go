package notice

import (
	"context"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Store is a store whose writes Kazoo hears of.
type Store struct {
	dedicatedip.Store
	outbox *Outbox
}

// Wrap answers s with a notice for every document that is written through it to the pool of dedicated IPs or to
// an account's database. Everything else passes through.
func Wrap(s dedicatedip.Store, o *Outbox) *Store { return &Store{s, o} }

// Put is the wrapped store's.
func (s *Store) Put(ctx context.Context, db string, doc document.Document) (string, error) {
	if !watched(db) {
		return s.Store.Put(ctx, db, doc)
	}
	written, _ := s.noted(ctx, db, []document.Document{doc}, func() ([]store.Written, error) {
		rev, err := s.Store.Put(ctx, db, doc)
		return []store.Written{{Rev: rev, Err: err}}, nil
	})
	return written[0].Rev, written[0].Err
}

// PutMany is the wrapped store's.
func (s *Store) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	write := func() ([]store.Written, error) { return s.Store.PutMany(ctx, db, docs) }
	if !watched(db) || len(docs) == 0 {
		return write()
	}
	return s.noted(ctx, db, docs, write)
}

// Delete removes a revision of a document by writing that it is deleted, which tells the revision of that:
// notices carry it.
func (s *Store) Delete(ctx context.Context, db, id, rev string) error {
	if !watched(db) {
		return s.Store.Delete(ctx, db, id, rev)
	}
	_, err := s.Put(ctx, db, document.Document{"_id": id, "_rev": rev, "_deleted": true})
	return err
}

// noted runs a write of documents between its notes and their outcome.
func (s *Store) noted(
	ctx context.Context, db string, docs []document.Document, write func() ([]store.Written, error),
) (written []store.Written, err error) {
	notes := s.outbox.note(db, docs, s.before(ctx, db, docs))
	defer func() { s.outbox.outcome(notes, written, err) }()
	return write()
}

// before reads the documents that are to be removed: what their notices say of them is not in the write. The
// write is not to fail for that.
func (s *Store) before(ctx context.Context, db string, docs []document.Document) map[string]document.Document {
	var ids []string
	for _, doc := range docs {
		if doc.Bool("_deleted") {
			ids = append(ids, doc.ID())
		}
	}
	found, err := s.Store.GetMany(ctx, db, ids)
	if err != nil && !fault.Is(err, fault.DatastoreMissing) {
		s.outbox.options.Log.Warn().Err(err).Str("database", db).Msg("change notices will not tell a document's type")
	}
	return found
}
