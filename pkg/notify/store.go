package notify

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Store is a store whose writes are published.
type Store struct {
	dedicatedip.Store
	publisher *Publisher
}

// Wrap returns s with a notice for every document that is written through it to the pool of dedicated IPs or to an
// account's database. Everything else passes through.
func Wrap(s dedicatedip.Store, p *Publisher) *Store { return &Store{s, p} }

// Put is the wrapped store's.
func (s *Store) Put(ctx context.Context, db string, doc document.Document) (string, error) {
	if !watched(db) {
		return s.Store.Put(ctx, db, doc)
	}
	written, _ := s.published(ctx, db, []document.Document{doc}, func() ([]store.Written, error) {
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
	return s.published(ctx, db, docs, write)
}

var errPanicked = errors.New("the write did not return")

// published makes a write between the begin and the end of its notices.
func (s *Store) published(
	ctx context.Context, db string, docs []document.Document, write func() ([]store.Written, error),
) (written []store.Written, err error) {
	notices := s.publisher.begin(db, docs, s.before(ctx, db, docs))
	err = errPanicked
	defer func() { s.publisher.end(notices, written, err) }()
	return write()
}

// beforeTime bounds how long a removal waits for what its notice says of the document.
const beforeTime = time.Second

// before reads the documents that docs remove, as far as it can: a tombstone has neither type nor dates.
func (s *Store) before(ctx context.Context, db string, docs []document.Document) map[string]document.Document {
	var ids []string
	for _, doc := range docs {
		if doc.Bool("_deleted") {
			ids = append(ids, doc.ID())
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, beforeTime)
	defer cancel()
	found, err := s.Store.GetMany(ctx, db, ids)
	if err != nil && !fault.Is(err, fault.DatastoreMissing) {
		s.publisher.options.Log.Debug().Err(err).Str("database", db).Msg("change notices of removals lack the dates")
	}
	return found
}
