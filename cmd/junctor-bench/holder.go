package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"junctor/pkg/document"
)

// writer is what the necessary writes are made with: a *store.Store, or kivik and nothing else.
type writer interface {
	Put(ctx context.Context, db string, doc document.Document) (rev string, err error)
	Delete(ctx context.Context, db, id, rev string) error
}

// holder assigns an address to an account and releases it again, with the writes that can't be done without.
type holder struct {
	pool, own   string // databases: of the addresses, and of the account
	number      int
	account     string
	rev, copied string // revisions of the address, and of the account's copy of it
}

// change is one write of a document.
type change func(h *holder, ctx context.Context, w writer) error

// changes are all it takes, in this order.
var changes = [changesEach]change{(*holder).assign, (*holder).keep, (*holder).release, (*holder).drop}

const changesEach = 4

func (h *holder) assign(ctx context.Context, w writer) error {
	return h.write(ctx, w, assigned(h.number, h.account))
}

func (h *holder) keep(ctx context.Context, w writer) (err error) {
	h.copied, err = w.Put(ctx, h.own, assigned(h.number, h.account))
	return err
}

func (h *holder) release(ctx context.Context, w writer) error {
	return h.write(ctx, w, available(h.number))
}

func (h *holder) drop(ctx context.Context, w writer) error {
	return w.Delete(ctx, h.own, address(h.number), h.copied)
}

// write writes the address over what it was.
func (h *holder) write(ctx context.Context, w writer, doc document.Document) (err error) {
	doc["_rev"] = h.rev
	h.rev, err = w.Put(ctx, h.pool, doc)
	return err
}

// each makes the same change with all holders at once.
func each(ctx context.Context, w writer, holders []*holder, do change) error {
	crew, ctx := errgroup.WithContext(ctx)
	for _, h := range holders {
		crew.Go(func() error { return do(h, ctx, w) })
	}
	return crew.Wait()
}
