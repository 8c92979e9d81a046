package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
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

// Follow keeps the look-ups current with what other processes write, until ctx ends. It begins where Load has ended,
// or reads all clusters first. While the store is away, look-ups return what was known last. It has to end before the
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
		r.options.Log.Warn().Err(err).Dur("pause", pause).Msg("the routing clusters' change feed failed; trying again")
		_ = backoff.Sleep(ctx, pause)
	}
}

// follow follows the feed until it fails.
func (r *Registry) follow(ctx context.Context) (loaded bool, err error) {
	since, err := r.caughtUp(ctx)
	if err != nil {
		return false, err
	}
	return true, r.store.Changes(ctx, Database, since, func(change store.Change) error {
		doc, err := change.Doc()
		if err == nil {
			r.index.applyChange(doc)
		}
		return err
	}, func(asOf time.Time) { r.confirmWrites(ctx, asOf) })
}

// confirmWrites reads the documents that this process wrote before a time and the feed has not delivered up to then. If
// that fails, the next call does it.
func (r *Registry) confirmWrites(ctx context.Context, asOf time.Time) {
	overdue := r.index.overdue(asOf)
	if len(overdue) == 0 {
		return
	}
	if docs, err := r.store.GetMany(ctx, Database, slices.Collect(maps.Keys(overdue))); err == nil {
		r.index.correct(overdue, docs)
	}
}

// Load reads all clusters once, for a process that does not Follow, or does so later.
func (r *Registry) Load(ctx context.Context) error {
	since, err := r.load(ctx)
	if err == nil {
		r.unfollowed.Store(&since)
	}
	return err
}

// caughtUp returns where a feed has to begin to deliver everything that the index does not have. What Load has read
// serves one feed. After a feed that failed everything is read again.
func (r *Registry) caughtUp(ctx context.Context) (since string, err error) {
	if since := r.unfollowed.Swap(nil); since != nil {
		return *since, nil
	}
	return r.load(ctx)
}

// load reads all clusters, and returns where a feed has to begin to deliver everything that is written afterwards.
func (r *Registry) load(ctx context.Context) (since string, err error) {
	began := time.Now()
	if since, err = r.store.Sequence(ctx, Database); err != nil {
		return "", err
	}
	var found []*entry
	q := store.Query{IncludeDocs: true}
	err = r.store.View(ctx, Database, design, "listing", q, func(row store.Row) error {
		doc, err := row.Doc()
		switch {
		case errors.Is(err, document.ErrNotObject): // removed since the view was read
			return nil
		case err != nil:
			return err
		}
		if e := newEntry(doc); e != nil {
			found = append(found, e)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	r.index.reload(began, found)
	return since, nil
}
