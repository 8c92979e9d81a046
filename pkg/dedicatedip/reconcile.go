package dedicatedip

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
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
	// Passed is told how each full pass of this process ended: one of PassResults; nil is nobody.
	Passed func(result string)
	// Gap is how long the store has rest between two full passes, whoever makes them; 10 s.
	Gap time.Duration
	// Every is how often a full pass is made without being asked for; an hour.
	Every time.Duration
}

// Reconciler makes full passes over the accounts' copies: missing ones are created, stale ones updated, and those of
// addresses that an account does not hold removed, whoever left them behind. It finds what leaves no trace in the pool's
// feed: a copy that was edited by hand, a change that nobody followed.
//
// It makes a pass at the start, every now and then, and on demand. Any number of processes may run one each: a lease
// keeps their passes apart. The projector of the pool makes the repairs.
type Reconciler struct {
	pool    *Pool
	store   HealingStore
	options ReconcilerOptions
	log     zerolog.Logger
	now     func() time.Time
	id      string        // of this process, in the lease
	glance  time.Duration // how often to look whether the lease is free

	pageSize int // accounts in one read
}

// NewReconciler returns the Reconciler of a pool in s. It takes time and log from the pool.
func NewReconciler(p *Pool, s HealingStore, o ReconcilerOptions) *Reconciler {
	o.Gap, o.Every = or(o.Gap, 10*time.Second), or(o.Every, time.Hour)
	if o.Passed == nil {
		o.Passed = func(string) {}
	}
	return &Reconciler{pool: p, store: s, options: o, log: p.options.Log, now: p.options.Now, id: rand.Text(),
		glance: time.Second, pageSize: chunk}
}

func or(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

// Run makes full passes until ctx ends. While the store is away, it waits. It has to end before the store is closed.
func (r *Reconciler) Run(ctx context.Context) {
	pauses := backoff.New(firstPause, lastPause)
	for {
		began := time.Now()
		err := r.passes(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			pauses.Reset()
		}
		pause := pauses.Next()
		r.log.Warn().Err(err).Dur("pause", pause).
			Msg("the full pass over all accounts broke off; trying again after the pause")
		_ = backoff.Sleep(ctx, pause)
	}
}

// The pauses between two attempts to work with a store that fails.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// chunk bounds how many documents are read and written in one go.
const chunk = 500

// logRepair reports a copy that did not equal the pool.
func (p *Pool) logRepair(accountID string, written document.Document) {
	kind := kindOf(written)
	if p.options.CopyRepaired != nil {
		p.options.CopyRepaired(kind)
	}
	p.options.Log.Warn().Str("ip", written.ID()).Str("account", accountID).Str("copy", kind).
		Msg("repaired an account's copy of an address")
}

// logAbandoned reports addresses whose holder has no database.
func (p *Pool) logAbandoned(accountID string, ids []string) {
	if p.options.AddressAbandoned != nil {
		for range ids {
			p.options.AddressAbandoned()
		}
	}
	p.options.Log.Error().Str("account", accountID).Int("count", len(ids)).Strs("ips", ids[:min(len(ids), reportedIPs)]).
		Msg("an account that no longer exists holds these addresses: release them")
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
