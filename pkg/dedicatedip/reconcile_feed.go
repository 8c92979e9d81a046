package dedicatedip

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"junctor/pkg/store"
)

// batch is what to look at after some changes: addresses, by the account that holds or held them.
type batch struct {
	ids     map[string]map[string]bool
	changes int
	seq     string // of the last of the changes
}

func (b *batch) add(accountID, id string) {
	if accountID == "" {
		return
	}
	if b.ids == nil {
		b.ids = map[string]map[string]bool{}
	}
	if b.ids[accountID] == nil {
		b.ids[accountID] = map[string]bool{}
	}
	b.ids[accountID][id] = true
}

// enough bounds a batch. The feed waits while it is full.
const enough = 1000

// follower works on one run of the feed. It is used by one goroutine.
type follower struct {
	*Reconciler
	holders     map[string]string // by address; who holds nothing now is not in it
	fresh, ripe batch             // changes of the last moment, and those before
	done        string            // everything up to here has been looked at
	saved       string            // what of it was stored
	savedAt     time.Time
}

// follow heals what the feed tells, until ctx ends or the store fails.
func (r *Reconciler) follow(ctx context.Context) error {
	state, err := r.state(ctx)
	if err != nil {
		return err
	}
	since := state.String(fieldCheckpoint)
	if since == "" { // what was before is for the full pass
		if since, err = r.store.Sequence(ctx, Database); err != nil {
			return err
		}
	}
	f := &follower{Reconciler: r, saved: state.String(fieldCheckpoint), done: since}
	if err := f.save(ctx); err != nil {
		return err
	}
	if f.holders, err = r.holders(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	changes, failed := make(chan store.Change), make(chan error, 1)
	go func() { failed <- r.feed(ctx, since, changes) }()
	err, ended := f.work(ctx, changes, failed)
	cancel()
	if !ended {
		<-failed
	}
	return errors.Join(err, f.save(context.WithoutCancel(ctx)))
}

// feed hands the changes since then over. It looks no more often than is of use: what was written again meanwhile, as
// addresses are that come and go, is told once.
func (r *Reconciler) feed(ctx context.Context, since string, changes chan<- store.Change) error {
	return r.store.Changes(ctx, Database, since, func(c store.Change) error {
		select {
		case changes <- c:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, func(time.Time) { _ = sleep(ctx, r.options.Settle/2) })
}

// work takes changes in, and looks at each after it had time to settle.
func (f *follower) work(ctx context.Context, changes chan store.Change, failed <-chan error) (err error, ended bool) {
	tick := time.NewTicker(f.options.Settle)
	defer tick.Stop()
	for {
		open := changes
		if f.fresh.changes >= enough {
			open = nil
		}
		select {
		case change := <-open:
			if err := f.note(change); err != nil {
				return err, false
			}
		case err := <-failed:
			return err, true
		case <-tick.C:
			if err := f.settle(ctx); err != nil {
				return err, false
			}
		}
	}
}

// note takes a change in, unless this process has made it and the copies with it. Documents that are no addresses are
// nobody's.
func (f *follower) note(change store.Change) error {
	if strings.HasPrefix(change.ID, "_design/") {
		return nil
	}
	holder, err := f.holderOf(change)
	if err != nil {
		return err
	}
	f.fresh.changes++
	f.fresh.seq = change.Seq
	for _, accountID := range []string{f.holders[change.ID], holder} {
		if !f.pool.tended(accountID, change.ID, change.Rev) {
			f.fresh.add(accountID, change.ID)
		}
	}
	if holder == "" {
		delete(f.holders, change.ID)
	} else {
		f.holders[change.ID] = holder
	}
	return nil
}

// holderOf answers who holds what has changed, empty for nobody.
func (f *follower) holderOf(change store.Change) (string, error) {
	if holder, ok := f.pool.holderAt(change.ID, change.Rev); ok {
		return holder, nil
	}
	doc, err := change.Doc()
	if err != nil || !isDedicatedIP(doc) || (IP{doc}).free() {
		return "", err
	}
	return IP{doc}.AssignedTo(), nil
}

// settle looks at the changes that are old enough.
func (f *follower) settle(ctx context.Context) error {
	for _, accountID := range slices.Sorted(maps.Keys(f.ripe.ids)) {
		ids := slices.Sorted(maps.Keys(f.ripe.ids[accountID]))
		if err := f.heal(ctx, accountID, ids); err != nil {
			return err
		}
	}
	if f.ripe.seq != "" {
		f.done = f.ripe.seq
	}
	f.ripe, f.fresh = f.fresh, batch{}
	if time.Since(f.savedAt) < savePause {
		return nil
	}
	return f.save(ctx)
}

// savePause is how often the checkpoint is written at most. What is looked at twice for it costs a read.
const savePause = 10 * time.Second

func (f *follower) save(ctx context.Context) error {
	if f.done == f.saved {
		return nil
	}
	ctx, cancel := committed(ctx)
	defer cancel()
	if err := f.checkpoint(ctx, f.done); err != nil {
		return err
	}
	f.saved, f.savedAt = f.done, time.Now()
	return nil
}
