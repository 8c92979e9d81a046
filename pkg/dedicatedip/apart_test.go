package dedicatedip

import (
	"context"
	"time"

	"junctor/pkg/document"
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

func (a apart) Get(ctx context.Context, db, id string) (document.Document, error) {
	return a.Store.Get(ctx, a.prefix+db, id)
}

func (a apart) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	return a.Store.GetMany(ctx, a.prefix+db, ids)
}

func (a apart) GetRevision(ctx context.Context, db, id, rev string) (document.Document, error) {
	return a.Store.GetRevision(ctx, a.prefix+db, id, rev)
}

func (a apart) Update(
	ctx context.Context, db, id string, change func(document.Document) error,
) (document.Document, error) {
	return a.Store.Update(ctx, a.prefix+db, id, change)
}

func (a apart) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	return a.Store.Changes(ctx, a.prefix+db, since, each, current)
}

func (a apart) Epoch(ctx context.Context, db string) (string, error) {
	return a.Store.Epoch(ctx, a.prefix+db)
}

func (a apart) Sequence(ctx context.Context, db string) (string, error) {
	return a.Store.Sequence(ctx, a.prefix+db)
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

func (a apart) Resolve(
	ctx context.Context, db string, doc document.Document, each func(document.Document),
) error {
	return a.Store.Resolve(ctx, a.prefix+db, doc, each)
}

func (a apart) Install(ctx context.Context, db string, design document.Document) error {
	return a.Store.Install(ctx, a.prefix+db, design)
}

func (a apart) InstallIfMissing(ctx context.Context, db string, design document.Document) error {
	return a.Store.InstallIfMissing(ctx, a.prefix+db, design)
}

func (a apart) All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error {
	return a.Store.All(ctx, a.prefix+db, q, each)
}

func (a apart) DatabaseExists(ctx context.Context, db string) (bool, error) {
	return a.Store.DatabaseExists(ctx, a.prefix+db)
}
