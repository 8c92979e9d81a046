package routing

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// apart is a store in which a test has the databases of fixed names to itself.
type apart struct {
	*store.Store
	prefix string
}

func (a apart) CreateDatabase(ctx context.Context, db string) error {
	return a.Store.CreateDatabase(ctx, a.prefix+db)
}

func (a apart) Install(ctx context.Context, db string, design document.Document) error {
	return a.Store.Install(ctx, a.prefix+db, design)
}

func (a apart) Get(ctx context.Context, db, id string) (document.Document, error) {
	return a.Store.Get(ctx, a.prefix+db, id)
}

func (a apart) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	return a.Store.GetMany(ctx, a.prefix+db, ids)
}

func (a apart) Put(ctx context.Context, db string, doc document.Document) (string, error) {
	return a.Store.Put(ctx, a.prefix+db, doc)
}

func (a apart) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	return a.Store.PutMany(ctx, a.prefix+db, docs)
}

func (a apart) Delete(ctx context.Context, db, id, rev string) error {
	return a.Store.Delete(ctx, a.prefix+db, id, rev)
}

func (a apart) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	return a.Store.View(ctx, a.prefix+db, design, view, q, each)
}

func (a apart) All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error {
	return a.Store.All(ctx, a.prefix+db, q, each)
}

func (a apart) Epoch(ctx context.Context, db string) (string, error) {
	return a.Store.Epoch(ctx, a.prefix+db)
}

func (a apart) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	return a.Store.Changes(ctx, a.prefix+db, since, each, current)
}

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
