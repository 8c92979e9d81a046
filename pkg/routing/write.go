package routing

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// writeAttempts bounds how often a write starts over because a writer of another process was first. Each time that
// other got through; and one that only changes a name is faster than one that claims addresses, again and again.
const writeAttempts = 100

// commitTime bounds what one write takes.
const commitTime = 30 * time.Second

// The pauses between two attempts keep writers from disturbing each other in step. They are short against a write: a
// writer that pauses for long is overtaken by more.
const (
	firstWritePause = 4 * time.Millisecond
	lastWritePause  = 64 * time.Millisecond
)

// write changes a cluster's document by what change makes of the stored one, which is nil where there is none. It
// starts over when another writer was in between: change may run several times. An error of change ends it.
func (r *Registry) write(
	ctx context.Context, id string, change func(stored document.Document) (draft, error),
) (Cluster, error) {
	unlock, err := r.writers.lock(ctx, id)
	if err != nil {
		return Cluster{}, err
	}
	defer unlock()
	// A client that hangs up must not cut the writes in half.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	claims := r.claims(id)
	pauses := backoff.New(firstWritePause, lastWritePause)
	for attempt := 1; ; attempt++ {
		stored, err := r.read(ctx, id)
		var next draft
		if err == nil {
			next, err = change(stored)
		}
		if err != nil {
			claims.abandon(ctx)
			return Cluster{}, err
		}
		err = r.try(ctx, claims, stored, next)
		if err == nil {
			return Cluster{next.doc}, nil
		}
		if !fault.Is(err, fault.Conflict) {
			return Cluster{}, err
		}
		if attempt == writeAttempts {
			claims.abandon(ctx)
			return Cluster{}, err
		}
		_ = pauses.Wait(ctx)
	}
}

// try writes once: the claims, the document, and the claims that it no longer needs.
func (r *Registry) try(ctx context.Context, claims *claims, stored document.Document, next draft) error {
	if err := claims.secure(ctx, slotsOf(stored), next.slots); err != nil {
		if !fault.Is(err, fault.Conflict) {
			claims.abandon(ctx)
		}
		return err
	}
	rev, err := r.store.Put(ctx, Database, next.doc)
	if err != nil {
		return err // not abandoned: unless this is a conflict, the document may have been written
	}
	next.doc["_rev"] = rev
	r.mirror.Wrote(next.doc)
	logChange(ctx, stored, next.doc)
	claims.release(ctx)
	return nil
}

// logChange writes the one log line about a change of a cluster. Who made it is in the context's logger.
func logChange(ctx context.Context, stored, written document.Document) {
	action := "edited"
	switch {
	case !isLive(stored):
		action = "created"
	case !isLive(written):
		action = "deleted"
	}
	zerolog.Ctx(ctx).Info().Str("action", action).Str("cluster", written.ID()).Msg("change")
}

// read returns the stored document of a cluster, deleted or not, nil if there is none.
func (r *Registry) read(ctx context.Context, id string) (document.Document, error) {
	if !isID(id) {
		return nil, fault.Unknown(id, nil)
	}
	doc, err := r.store.Get(ctx, Database, id)
	if fault.Is(err, fault.BadIdentifier) {
		return nil, nil
	}
	delete(doc, "_conflicts")
	return doc, err
}
