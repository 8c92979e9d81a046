package cluster

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// The pauses between two attempts to reach a store that fails.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// Follow keeps the look-ups current with what other processes write, until ctx ends. It goes on where Load has ended,
// or reads all clusters first. While the store is away, look-ups answer what was known last. It has to end before the
// store is closed.
func (r *Registry) Follow(ctx context.Context) {
	pauses := backoff.New(firstPause, lastPause)
	for ctx.Err() == nil {
		loaded, err := r.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if loaded {
			pauses.Reset()
		}
		pause := pauses.Next()
		r.options.Log.Warn().Err(err).Dur("pause", pause).Msg("the routing clusters' change feed broke off; trying again")
		_ = backoff.Sleep(ctx, pause)
	}
}

// follow follows the feed until it breaks off.
func (r *Registry) follow(ctx context.Context) (loaded bool, err error) {
	since, err := r.caughtUp(ctx)
	if err != nil {
		return false, err
	}
	return true, r.store.Changes(ctx, Database, since, func(change store.Change) error {
		doc, err := change.Doc()
		if err == nil {
			r.table.apply(doc) // a document that is no cluster has no addresses
		}
		return err
	}, nil)
}

// Load reads all clusters once, for a process that does not Follow, or does so later.
func (r *Registry) Load(ctx context.Context) error {
	since, err := r.load(ctx)
	if err == nil {
		r.unfollowed.Store(&since)
	}
	return err
}

// caughtUp answers from where on a feed misses nothing that the table does not have. What Load has read is good for
// one feed: after one that broke off, only the store knows what is there.
func (r *Registry) caughtUp(ctx context.Context) (since string, err error) {
	if since := r.unfollowed.Swap(nil); since != nil {
		return *since, nil
	}
	return r.load(ctx)
}

// load reads all clusters, and answers from where on a feed misses nothing.
func (r *Registry) load(ctx context.Context) (since string, err error) {
	if since, err = r.store.Sequence(ctx, Database); err != nil {
		return "", err
	}
	started := r.table.now()
	q := store.Query{IncludeDocs: true}
	err = r.store.View(ctx, Database, design, "listing", q, func(row store.Row) error {
		doc, err := row.Doc()
		switch {
		case errors.Is(err, document.ErrNotObject): // removed since the view was read
			return nil
		case err != nil:
			return err
		}
		r.table.restore(started, doc)
		return nil
	})
	if err != nil {
		return "", err
	}
	r.table.forget(started)
	return since, nil
}
