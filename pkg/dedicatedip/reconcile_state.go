package dedicatedip

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// stateDatabase is our own, so that what we note leaves Kazoo's databases, and the feeds on them, alone.
const stateDatabase = "junctor"

// StateDatabase names it for those who look whether junctor can write.
const StateDatabase = stateDatabase

// stateID is the document that Reconcilers share. It is an ordinary one, since CouchDB does not hold writers of
// _local documents to their revisions.
const stateID = "reconciler"

// The fields of it. Times are Unix milliseconds.
const (
	fieldPass      = "pass_began" // the last full pass that came to its end
	fieldPassEnded = "pass_ended" // the last full pass, however it ended
	fieldHolder    = "lease_holder"
	fieldUntil     = "lease_until"
)

// leaseTime is how long a process that is not heard of keeps the others from making a full pass.
const leaseTime = 30 * time.Second

var errLeaseLost = errors.New("another process has taken the full pass over")

func (r *Reconciler) change(ctx context.Context, change func(document.Document) error) error {
	_, err := r.store.Update(ctx, stateDatabase, stateID, func(doc document.Document) error {
		doc[fieldType] = "junctor_reconciler"
		return change(doc)
	})
	return err
}

// turn takes the lease on full passes. Where it is not this process's turn, it answers how long that may last, and
// where a pass that began later than asked has been made, that there is nothing to do.
func (r *Reconciler) turn(
	ctx context.Context, asked time.Time, gap time.Duration,
) (made bool, wait time.Duration, err error) {
	err = r.change(ctx, func(doc document.Document) error {
		now := r.now()
		made, wait = at(doc, fieldPass).After(asked), 0
		if !made && doc.String(fieldHolder) != "" {
			wait = min(at(doc, fieldUntil).Sub(now), leaseTime)
		}
		if !made && wait <= 0 {
			wait = min(at(doc, fieldPassEnded).Add(gap).Sub(now), gap)
		}
		if made || wait > 0 {
			return store.ErrUnchanged
		}
		doc[fieldHolder], doc[fieldUntil] = r.id, millis(now.Add(leaseTime))
		return nil
	})
	return made, wait, err
}

// renew keeps the lease.
func (r *Reconciler) renew(ctx context.Context) error {
	return r.change(ctx, func(doc document.Document) error {
		if doc.String(fieldHolder) != r.id {
			return errLeaseLost
		}
		doc[fieldUntil] = millis(r.now().Add(leaseTime))
		return nil
	})
}

// yield gives the lease back. began is when a pass that came to its end began.
func (r *Reconciler) yield(ctx context.Context, began time.Time, finished bool) error {
	ctx, cancel := committed(ctx)
	defer cancel()
	return r.change(ctx, func(doc document.Document) error {
		if doc.String(fieldHolder) != r.id {
			return store.ErrUnchanged
		}
		delete(doc, fieldHolder)
		delete(doc, fieldUntil)
		doc[fieldPassEnded] = millis(r.now())
		if finished {
			doc[fieldPass] = millis(began)
		}
		return nil
	})
}

// at reads a time; one that is not there is long ago.
func at(doc document.Document, field string) time.Time {
	ms, _ := doc.Int(field)
	return time.UnixMilli(ms)
}

func millis(t time.Time) any { return document.Number(t.UnixMilli()) }
