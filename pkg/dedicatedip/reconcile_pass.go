package dedicatedip

import (
	"context"
	"maps"
	"slices"
	"time"

	"junctor/pkg/account"
)

// passes makes a full pass at once, and then every now and then. Another process's counts as well.
func (r *Reconciler) passes(ctx context.Context) error {
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	for {
		if err := sleep(ctx, r.options.Every); err != nil {
			return err
		}
		if err := r.passSince(ctx, r.pool.now().Add(-r.options.Every/2)); err != nil {
			return err
		}
	}
}

// Refresh makes a full pass over all accounts, or waits for one that another process makes. Two passes never run at
// once, and there is a pause between them. Failures of the store end it.
func (r *Reconciler) Refresh(ctx context.Context) error {
	return r.passSince(ctx, r.pool.now())
}

// passSince sees to it that there has been a full pass that began after asked.
func (r *Reconciler) passSince(ctx context.Context, asked time.Time) error {
	for {
		made, wait, err := r.turn(ctx, asked)
		switch {
		case err != nil || made:
			return err
		case wait <= 0:
			return r.hold(ctx)
		}
		if err := sleep(ctx, min(wait, r.glance)); err != nil {
			return err
		}
	}
}

// hold makes a full pass, with the lease on it.
func (r *Reconciler) hold(ctx context.Context) error {
	began := r.pool.now()
	p := &pass{Reconciler: r, renewed: began}
	err := p.run(ctx)
	if yielded := r.yield(ctx, began, err == nil); err == nil {
		err = yielded
	}
	r.log.Debug().Err(err).Int("accounts", p.accounts).Dur("took", r.pool.now().Sub(began)).
		Msg("looked at the copies of all accounts")
	return err
}

// pass is one full pass.
type pass struct {
	*Reconciler
	held     map[string][]string // by account: addresses that the pool says it holds; those not looked at yet
	renewed  time.Time
	accounts int
}

func (p *pass) run(ctx context.Context) (err error) {
	if p.held, err = p.heldByAccount(ctx); err != nil {
		return err
	}
	for after := ""; ; {
		accounts, err := p.accountsAfter(ctx, after)
		if err != nil {
			return err
		}
		for _, id := range accounts {
			if err := p.visit(ctx, id); err != nil {
				return err
			}
		}
		if len(accounts) == 0 {
			break
		}
		after = accounts[len(accounts)-1]
	}
	for _, id := range slices.Sorted(maps.Keys(p.held)) {
		if err := p.visitUnlisted(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// visit makes the copies of an account equal to the pool.
func (p *pass) visit(ctx context.Context, accountID string) error {
	if now := p.pool.now(); now.Sub(p.renewed) > leaseTime/3 {
		if err := p.renew(ctx); err != nil {
			return err
		}
		p.renewed = now
	}
	ids := p.held[accountID]
	delete(p.held, accountID)
	p.accounts++
	copies, err := p.copiesOf(ctx, accountID)
	if err != nil {
		return err
	}
	ids = append(ids, copies...)
	slices.Sort(ids)
	return p.heal(ctx, accountID, slices.Compact(ids))
}

// visitUnlisted looks at an account that holds addresses but is not in the database of all accounts. If it still is
// in its own, it is an account like others.
func (p *pass) visitUnlisted(ctx context.Context, accountID string) error {
	holder, err := account.Get(ctx, p.store, accountID)
	switch {
	case account.Missing(err) || err == nil && holder.Deleted:
		p.abandoned(accountID, p.held[accountID])
		return nil
	case err != nil:
		return err
	}
	return p.visit(ctx, accountID)
}
