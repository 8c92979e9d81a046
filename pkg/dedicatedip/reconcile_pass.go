package dedicatedip

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/backoff"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Results of a full pass, as Options.Passed gets them.
const (
	PassCompleted  = "completed"
	PassFailed     = "failed"      // the store failed, or another process took over; it is tried again
	PassNoProgress = "no_progress" // a paged read of a view repeated itself
	PassStopped    = "stopped"     // it would have removed too many copies, see TooManyRemovalsError
)

// PassResults lists the results of full passes.
func PassResults() []string { return []string{PassCompleted, PassFailed, PassNoProgress, PassStopped} }

// passResult classifies how a full pass ended.
func passResult(err error) string {
	_, stopped := errors.AsType[*TooManyRemovalsError](err)
	switch {
	case err == nil:
		return PassCompleted
	case errors.Is(err, store.ErrNoProgress):
		return PassNoProgress
	case stopped:
		return PassStopped
	}
	return PassFailed
}

// passes makes a full pass at once, and then every now and then. Another process's counts as well. One that could only
// end in the same way again is not repeated before its time.
func (r *Reconciler) passes(ctx context.Context) error {
	for asked := r.now(); ; asked = r.now().Add(-r.options.Every / 2) {
		if err := r.passSince(ctx, asked, r.options.Gap, false); err != nil && passResult(err) == PassFailed {
			return err
		}
		if err := backoff.Sleep(ctx, r.options.Every); err != nil {
			return err
		}
	}
}

// Refresh makes a full pass over all accounts, or waits for one that another process makes. Two passes never run at
// once, and there is a pause between them. Failures of the store end it, and a TooManyRemovalsError.
func (r *Reconciler) Refresh(ctx context.Context) error {
	return r.passSince(ctx, r.now(), r.options.Gap, false)
}

// Repair is Refresh without a pause before it. confirmed says that however many copies may be removed.
func (r *Reconciler) Repair(ctx context.Context, confirmed bool) error {
	return r.passSince(ctx, r.now(), 0, confirmed)
}

// passSince sees to it that there has been a full pass that began after asked. Before it, gap has passed since the last.
func (r *Reconciler) passSince(ctx context.Context, asked time.Time, gap time.Duration, confirmed bool) error {
	made, err := r.acquire(ctx, asked, gap)
	if err != nil || made {
		return err
	}
	return r.hold(ctx, confirmed)
}

// acquire waits for the lease on full passes, and for gap after the last pass. It reports whether another process has
// made a pass that began after asked, in which case it does not take the lease.
func (r *Reconciler) acquire(ctx context.Context, asked time.Time, gap time.Duration) (made bool, err error) {
	for {
		made, wait, err := r.turn(ctx, asked, gap)
		if err != nil || made || wait <= 0 {
			return made, err
		}
		if err := backoff.Sleep(ctx, min(wait, r.glance)); err != nil {
			return false, err
		}
	}
}

// hold makes a full pass, with the lease on it.
func (r *Reconciler) hold(ctx context.Context, confirmed bool) error {
	p := &pass{Reconciler: r, lease: r.held(), confirmed: confirmed, copies: map[string][]string{},
		doomed: map[copyName]bool{}}
	err := p.run(ctx)
	if yielded := r.yield(ctx, p.lease.began, err == nil); err == nil {
		err = yielded
	}
	took := r.now().Sub(p.lease.began)
	if ctx.Err() != nil {
		return err
	}
	result := passResult(err)
	r.options.Passed(result)
	event := r.log.Debug()
	if result == PassNoProgress || result == PassStopped {
		event = r.log.Error()
	}
	event.Err(err).Str("result", result).Int("accounts", p.looked).Int("copies", p.seen).Dur("took", took).
		Msg("full pass over the copies of all accounts")
	return err
}

// lease is the right to make a full pass.
type lease struct {
	*Reconciler
	began, renewed time.Time
}

// held returns the lease that this process has just taken.
func (r *Reconciler) held() *lease {
	now := r.now()
	return &lease{r, now, now}
}

// keep renews the lease from time to time.
func (l *lease) keep(ctx context.Context) error {
	now := l.now()
	if now.Sub(l.renewed) <= leaseTime/3 {
		return nil
	}
	if err := l.renew(ctx); err != nil {
		return err
	}
	l.renewed = now
	return nil
}

// copyName names an account's copy of an address.
type copyName struct{ accountID, id string }

// pass is one full pass. It first reads which copies there are, and repairs them afterwards.
type pass struct {
	*Reconciler
	lease     *lease
	confirmed bool // any number of copies may be removed

	held   map[string][]string // by account: addresses that the pool says it holds
	looked int                 // accounts
	copies map[string][]string // by account: addresses that it has copies of
	seen   int                 // copies
	doomed map[copyName]bool   // those of them to be removed without a reason that the pool knows, see unexplained
}

func (p *pass) run(ctx context.Context) (err error) {
	if p.held, err = p.heldByAccount(ctx); fault.Is(err, fault.DatastoreMissing) {
		return fmt.Errorf("%w (%w)", ErrPoolMissing, err)
	} else if err != nil {
		return err
	}
	listed, err := p.accounts(ctx)
	if err != nil {
		return err
	}
	for _, id := range listed {
		if err := p.look(ctx, id); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.held)) {
		if err := p.lookUnlisted(ctx, id); err != nil {
			return err
		}
	}
	if !p.confirmed {
		if tooManyRemovals(len(p.doomed), p.seen) {
			return &TooManyRemovalsError{Removals: len(p.doomed), Copies: p.seen}
		}
		p.spareContested()
	}
	return p.repair(ctx)
}

// look reads which copies an account has.
func (p *pass) look(ctx context.Context, accountID string) error {
	if err := p.lease.keep(ctx); err != nil {
		return err
	}
	if _, again := p.copies[accountID]; again {
		return nil
	}
	copies, err := p.copiesOf(ctx, accountID)
	if err != nil {
		return err
	}
	p.looked++
	p.copies[accountID] = copies
	p.seen += len(copies)
	held := map[string]bool{}
	for _, id := range p.held[accountID] {
		held[id] = true
	}
	left := slices.DeleteFunc(slices.Clone(copies), func(id string) bool { return held[id] })
	return p.unexplained(ctx, accountID, left)
}

// lookUnlisted looks at an account that holds addresses but may not be in the database of all accounts. If it still is
// in its own, it is an account like others.
func (p *pass) lookUnlisted(ctx context.Context, accountID string) error {
	if _, listed := p.copies[accountID]; listed {
		return nil
	}
	holder, err := account.Get(ctx, p.store, accountID)
	switch {
	case account.Missing(err) || err == nil && holder.Deleted:
		p.pool.logAbandoned(accountID, p.held[accountID])
		return nil
	case err != nil:
		return err
	}
	return p.look(ctx, accountID)
}

// repair makes the copies of all accounts that were looked at equal to the pool.
func (p *pass) repair(ctx context.Context) error {
	for _, accountID := range slices.Sorted(maps.Keys(p.copies)) {
		ids := append(slices.Clone(p.held[accountID]), p.copies[accountID]...)
		if len(ids) == 0 {
			continue
		}
		if err := p.lease.keep(ctx); err != nil {
			return err
		}
		slices.Sort(ids)
		if err := p.pool.projector.Repair(ctx, accountID, slices.Compact(ids)); err != nil {
			return err
		}
	}
	return ctx.Err()
}
