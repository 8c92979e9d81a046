package projection

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// StateDatabase is our own, so that the state of full passes leaves Kazoo's databases, and the feeds on them, alone.
const StateDatabase = "junctor"

// StateID is the document that the Reconcilers of all processes share. It is an ordinary one: CouchDB does not compare
// the revisions of _local documents.
const StateID = "reconciler"

// The fields of it. Times are Unix milliseconds.
const (
	fieldPass   = "pass_began" // the last full pass that was completed
	fieldHolder = "lease_holder"
	fieldUntil  = "lease_until"
)

const (
	// leaseTime is how long a process that has died with the lease keeps the others from making a full pass.
	leaseTime = 30 * time.Second
	// leasePoll is how often those who wait for the lease look at it.
	leasePoll = time.Second
	// yieldTime bounds the write that gives the lease back.
	yieldTime = 30 * time.Second
)

var errLeaseLost = errors.New("another process has taken the full pass over")

// lease is the right to make a full pass.
type lease struct {
	*Reconciler
	began time.Time
}

// acquire waits for the lease. It returns nil if another process has made a pass that began after asked.
func (r *Reconciler) acquire(ctx context.Context, asked time.Time) (*lease, error) {
	for {
		made, wait, err := r.tryAcquire(ctx, asked)
		if err != nil || made {
			return nil, err
		}
		if wait <= 0 {
			return &lease{r, r.options.Now()}, nil
		}
		if err := backoff.Sleep(ctx, min(wait, leasePoll)); err != nil {
			return nil, err
		}
	}
}

// tryAcquire takes the lease if it is free. Otherwise it returns how long that may last.
func (r *Reconciler) tryAcquire(ctx context.Context, asked time.Time) (made bool, wait time.Duration, err error) {
	err = r.updateState(ctx, func(doc document.Document) error {
		now := r.options.Now()
		made, wait = timeIn(doc, fieldPass).After(asked), 0
		if !made && doc.String(fieldHolder) != "" {
			wait = min(timeIn(doc, fieldUntil).Sub(now), leaseTime)
		}
		if made || wait > 0 {
			return store.ErrUnchanged
		}
		doc[fieldHolder], doc[fieldUntil] = r.id, millis(now.Add(leaseTime))
		return nil
	})
	return made, wait, err
}

// hold calls do, and renews the lease meanwhile. If that fails, as when another process has taken the lease over, the
// context of do ends.
func (l *lease) hold(ctx context.Context, do func(context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for backoff.Sleep(ctx, leaseTime/3) == nil {
			if err := l.renew(ctx); err != nil {
				end(err)
			}
		}
	})
	err := do(ctx)
	if err != nil {
		err = cmp.Or(context.Cause(ctx), err)
	}
	end(nil)
	renewing.Wait()
	return err
}

func (l *lease) renew(ctx context.Context) error {
	return l.updateState(ctx, func(doc document.Document) error {
		if doc.String(fieldHolder) != l.id {
			return errLeaseLost
		}
		doc[fieldUntil] = millis(l.options.Now().Add(leaseTime))
		return nil
	})
}

// release releases the lease. completed reports whether a full pass was completed.
func (l *lease) release(ctx context.Context, completed bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), yieldTime)
	defer cancel()
	return l.updateState(ctx, func(doc document.Document) error {
		if doc.String(fieldHolder) != l.id {
			return store.ErrUnchanged
		}
		delete(doc, fieldHolder)
		delete(doc, fieldUntil)
		if completed {
			doc[fieldPass] = millis(l.began)
		}
		return nil
	})
}

// LastPass returns when the last full pass that was completed began, whichever process made it. It is the zero time if
// there was none.
func (r *Reconciler) LastPass(ctx context.Context) (began time.Time, err error) {
	err = r.updateState(ctx, func(doc document.Document) error {
		if doc[fieldPass] != nil {
			began = timeIn(doc, fieldPass)
		}
		return store.ErrUnchanged
	})
	return began, err
}

func (r *Reconciler) updateState(ctx context.Context, change func(document.Document) error) error {
	_, err := r.store.Update(ctx, StateDatabase, StateID, func(doc document.Document) error {
		doc[kazoo.FieldType] = "junctor_reconciler"
		return change(doc)
	})
	return err
}

// timeIn reads a time. One that is missing is long ago.
func timeIn(doc document.Document, field string) time.Time {
	ms, _ := doc.Int(field)
	return time.UnixMilli(ms)
}

func millis(t time.Time) any { return document.Number(t.UnixMilli()) }
