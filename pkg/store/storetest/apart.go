package storetest

import (
	"context"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Apart is a store in which a test has databases of fixed names to itself: their names begin with Prefix.
type Apart struct {
	*store.Store
	Prefix string
	hook   Hook
}

// Call is a call of a store.
type Call struct {
	context.Context
	Name string // "get many", "get deleted", "put" (also of several documents), "update", "view" or "all"
	DB   string
}

// Hook is what a test does about a call: before or after it makes it by do, or instead.
type Hook func(c Call, do func() error) error

// With returns the store with a hook for each Call.
func (a Apart) With(h Hook) Apart {
	a.hook = h
	return a
}

func (a Apart) call(ctx context.Context, name, db string, do func() error) error {
	if a.hook == nil {
		return do()
	}
	return a.hook(Call{ctx, name, db}, do)
}

// CreateDatabase is Store.CreateDatabase with the prefix before the name of the database.
func (a Apart) CreateDatabase(ctx context.Context, db string) error {
	return a.Store.CreateDatabase(ctx, a.Prefix+db)
}

// Get is Store.Get with the prefix before the name of the database.
func (a Apart) Get(ctx context.Context, db, id string) (document.Document, error) {
	return a.Store.Get(ctx, a.Prefix+db, id)
}

// GetMany is Store.GetMany with the prefix before the name of the database.
func (a Apart) GetMany(
	ctx context.Context, db string, ids []string,
) (docs map[string]document.Document, err error) {
	err = a.call(ctx, "get many", db, func() (err error) {
		docs, err = a.Store.GetMany(ctx, a.Prefix+db, ids)
		return err
	})
	return docs, err
}

// GetDeleted is Store.GetDeleted with the prefix before the name of the database.
func (a Apart) GetDeleted(
	ctx context.Context, db string, ids []string,
) (gone map[string]document.Document, there map[string]bool, err error) {
	err = a.call(ctx, "get deleted", db, func() (err error) {
		gone, there, err = a.Store.GetDeleted(ctx, a.Prefix+db, ids)
		return err
	})
	return gone, there, err
}

// Update is Store.Update with the prefix before the name of the database.
func (a Apart) Update(
	ctx context.Context, db, id string, change func(document.Document) error,
) (doc document.Document, err error) {
	err = a.call(ctx, "update", db, func() (err error) {
		doc, err = a.Store.Update(ctx, a.Prefix+db, id, change)
		return err
	})
	return doc, err
}

// Changes is Store.Changes with the prefix before the name of the database.
func (a Apart) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	return a.Store.Changes(ctx, a.Prefix+db, since, each, current)
}

// ChangesSince is Store.ChangesSince with the prefix before the name of the database.
func (a Apart) ChangesSince(ctx context.Context, db, since string, each func(store.Change) error) error {
	return a.Store.ChangesSince(ctx, a.Prefix+db, since, each)
}

// Position is Store.Position with the prefix before the name of the database.
func (a Apart) Position(ctx context.Context, db string) (seq, epoch string, err error) {
	return a.Store.Position(ctx, a.Prefix+db)
}

// Put is Store.Put with the prefix before the name of the database.
func (a Apart) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	err = a.call(ctx, "put", db, func() (err error) {
		rev, err = a.Store.Put(ctx, a.Prefix+db, doc)
		return err
	})
	return rev, err
}

// PutMany is Store.PutMany with the prefix before the name of the database.
func (a Apart) PutMany(
	ctx context.Context, db string, docs []document.Document,
) (written []store.Written, err error) {
	err = a.call(ctx, "put", db, func() (err error) {
		written, err = a.Store.PutMany(ctx, a.Prefix+db, docs)
		return err
	})
	return written, err
}

// Delete is Store.Delete with the prefix before the name of the database.
func (a Apart) Delete(ctx context.Context, db, id, rev string) error {
	return a.Store.Delete(ctx, a.Prefix+db, id, rev)
}

// View is Store.View with the prefix before the name of the database.
func (a Apart) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	return a.call(ctx, "view", db, func() error { return a.Store.View(ctx, a.Prefix+db, design, view, q, each) })
}

// Resolve is Store.Resolve with the prefix before the name of the database.
func (a Apart) Resolve(
	ctx context.Context, db string, doc document.Document, each func(document.Document),
) error {
	return a.Store.Resolve(ctx, a.Prefix+db, doc, each)
}

// Contested is Store.Contested with the prefix before the name of the database.
func (a Apart) Contested(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	return a.Store.Contested(ctx, a.Prefix+db, ids)
}

// Install is Store.Install with the prefix before the name of the database.
func (a Apart) Install(ctx context.Context, db string, design document.Document) error {
	return a.Store.Install(ctx, a.Prefix+db, design)
}

// InstallIfMissing is Store.InstallIfMissing with the prefix before the name of the database.
func (a Apart) InstallIfMissing(ctx context.Context, db string, design document.Document) error {
	return a.Store.InstallIfMissing(ctx, a.Prefix+db, design)
}

// All is Store.All with the prefix before the name of the database.
func (a Apart) All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error {
	return a.call(ctx, "all", db, func() error { return a.Store.All(ctx, a.Prefix+db, q, each) })
}

// DatabaseExists is Store.DatabaseExists with the prefix before the name of the database.
func (a Apart) DatabaseExists(ctx context.Context, db string) (bool, error) {
	return a.Store.DatabaseExists(ctx, a.Prefix+db)
}
