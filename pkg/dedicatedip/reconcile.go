package dedicatedip

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// What a Reconciler does to an account's copy of an address.
const (
	CopyCreated = "created" // it was missing
	CopyUpdated = "updated" // it was not what the pool says
	CopyRemoved = "removed" // the account does not hold the address
)

// HealingStore is what a Reconciler needs of a store.
type HealingStore interface {
	Store
	Installer
	Update(ctx context.Context, db, id string, change func(document.Document) error) (document.Document, error)
	Changes(
		ctx context.Context, db, since string, each func(store.Change) error, current func(asOf time.Time),
	) error
	Sequence(ctx context.Context, db string) (seq string, err error)
}

// ReconcilerOptions adjusts a Reconciler. The zero value is usable.
type ReconcilerOptions struct {
	// Repaired is told what was done to a copy, each time; nil is nobody.
	Repaired func(kind string)
	// Abandoned is told of each address that is held by an account that is gone, in every full pass; nil is nobody.
	Abandoned func()
	// Passed is told how each full pass of this process ended: one of PassResults; nil is nobody.
	Passed func(result string)
	// Settle is how long a write to the pool is left alone, for whoever made it to write the copy as well; 2 s.
	Settle time.Duration
	// Gap is how long the store has rest between two full passes, whoever makes them; 10 s.
	Gap time.Duration
	// Every is how often a full pass is made without being asked for; an hour.
	Every time.Duration
}

// Reconciler makes the accounts' copies equal to the pool: missing ones are created, stale ones updated, and those
// of addresses that an account does not hold removed, whoever left them behind.
//
// It follows the change feed of dedicated_ips, and remembers in that database how far it came. What leaves no trace
// in the feed (a copy edited by hand, a holder that was not seen) is found by a full pass over all accounts: at the
// start, every now and then, and on demand. Any number of processes may run one each: all follow the feed, since a
// repair made twice is made once, and they take turns at full passes.
//
// It keeps who holds which address, some hundred bytes for each assigned one.
type Reconciler struct {
	pool    *Pool
	store   HealingStore
	options ReconcilerOptions
	log     zerolog.Logger
	id      string        // of this process, in the lease
	glance  time.Duration // how often to look whether it is this process's turn

	pageSize int // accounts in one read
}

// NewReconciler answers the Reconciler of a pool in s. It takes time and log from the pool.
func NewReconciler(p *Pool, s HealingStore, o ReconcilerOptions) *Reconciler {
	o.Settle, o.Gap, o.Every = or(o.Settle, 2*time.Second), or(o.Gap, 10*time.Second), or(o.Every, time.Hour)
	if o.Repaired == nil {
		o.Repaired = func(string) {}
	}
	if o.Abandoned == nil {
		o.Abandoned = func() {}
	}
	if o.Passed == nil {
		o.Passed = func(string) {}
	}
	r := &Reconciler{store: s, options: o, log: p.log, id: rand.Text(), glance: time.Second, pageSize: chunk}
	healing := *p
	healing.mended = r.mended
	r.pool = &healing
	return r
}

func or(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

// Run heals until ctx ends. While the store is away, it waits. It has to end before the store is closed.
func (r *Reconciler) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.persist(ctx, "the full pass over all accounts broke off; trying again", r.passes)
	}()
	r.persist(ctx, "following the changes of dedicated_ips broke off; trying again", r.follow)
	<-done
}

// The pauses between two attempts to work with a store that fails.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// persist does something that ends only with an error, again and again until ctx ends.
func (r *Reconciler) persist(ctx context.Context, message string, do func(context.Context) error) {
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		began := time.Now()
		err := do(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			wait = firstPause
		}
		r.log.Warn().Err(err).Dur("pause", wait).Msg(message)
		_ = sleep(ctx, wait)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// chunk bounds how many documents are read and written in one go.
const chunk = 500

// heal makes an account's copies of these addresses what the pool says. An account that is gone is no failure.
func (r *Reconciler) heal(ctx context.Context, accountID string, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), chunk)
		err := r.pool.equalize(ctx, accountID, ids[:n])
		if account.Missing(err) {
			r.abandoned(accountID, ids[:n])
		} else if err != nil {
			return err
		}
		ids = ids[n:]
	}
	return ctx.Err()
}

func (r *Reconciler) mended(accountID string, written document.Document) {
	kind := kindOf(written)
	r.options.Repaired(kind)
	r.log.Warn().Str("ip", written.ID()).Str("account", accountID).Str("copy", kind).
		Msg("repaired an account's copy of an address")
}

// kindOf answers what it does to an account's copy to write a document over it.
func kindOf(write document.Document) string {
	switch {
	case write.Bool("_deleted"):
		return CopyRemoved
	case write.Rev() != "":
		return CopyUpdated
	}
	return CopyCreated
}

func (r *Reconciler) abandoned(accountID string, ids []string) {
	for range ids {
		r.options.Abandoned()
	}
	r.log.Error().Str("account", accountID).Int("count", len(ids)).Strs("ips", ids[:min(len(ids), reportedIPs)]).
		Msg("an account that no longer exists holds these addresses: release them")
}
