package routing

import (
	"context"
	"errors"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// steps is a real store that calls around before, after or instead of each call of a write.
type steps struct {
	Store
	around func(call, db string, do func() error) error
}

func (s steps) Get(ctx context.Context, db, id string) (doc document.Document, err error) {
	err = s.around("get", db, func() (err error) {
		doc, err = s.Store.Get(ctx, db, id)
		return err
	})
	return doc, err
}

func (s steps) GetMany(ctx context.Context, db string, ids []string) (docs map[string]document.Document, err error) {
	err = s.around("get many", db, func() (err error) {
		docs, err = s.Store.GetMany(ctx, db, ids)
		return err
	})
	return docs, err
}

func (s steps) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	err = s.around("put", db, func() (err error) {
		rev, err = s.Store.Put(ctx, db, doc)
		return err
	})
	return rev, err
}

func (s steps) PutMany(ctx context.Context, db string, docs []document.Document) (w []store.Written, err error) {
	if len(docs) == 0 {
		return nil, nil
	}
	err = s.around("put many", db, func() (err error) {
		w, err = s.Store.PutMany(ctx, db, docs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (s steps) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	return s.around("view", db, func() error { return s.Store.View(ctx, db, design, view, q, each) })
}

var errUnplugged = fault.Wrap(fault.DatastoreUnreachable, errors.New("unplugged"))
