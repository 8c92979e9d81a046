package dedicatedip

import (
	"context"
	"maps"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// lookAtAccounts looks at the copies of those who hold addresses, and then at others'.
func (v *surveyor) lookAtAccounts(ctx context.Context) error {
	for _, accountID := range slices.Sorted(maps.Keys(v.held)) {
		if v.Accounts >= v.limit {
			return nil
		}
		if err := v.lookAtHolder(ctx, accountID); err != nil {
			return err
		}
	}
	ids, err := v.accounts(ctx)
	if err != nil {
		return err
	}
	for _, accountID := range ids {
		if len(v.held[accountID]) > 0 {
			continue
		}
		if v.Accounts >= v.limit {
			return nil
		}
		if err := v.lookAtCopies(ctx, accountID); err != nil {
			return err
		}
	}
	v.Survey.All = true
	return nil
}

// accounts reads the ids of all accounts, in order: from a view, else from the database itself, whose documents are
// accounts with few exceptions.
func (v *surveyor) accounts(ctx context.Context) ([]string, error) {
	ids, err := listedAccounts(ctx, v.store, v.pageSize)
	if fault.Is(err, fault.DatastoreMissingView) {
		err = store.AllPages(ctx, v.store, kazoo.Accounts, v.pageSize, func(some []string) error {
			ids = append(ids, some...)
			return nil
		})
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil
	}
	return ids, err
}

// lookAtHolder looks at the copies of an account that may not exist.
func (v *surveyor) lookAtHolder(ctx context.Context, accountID string) error {
	holder, err := account.Get(ctx, v.store, accountID)
	switch {
	case account.Missing(err) || err == nil && holder.Deleted:
		for _, id := range v.held[accountID] {
			v.Abandoned.add(id + " (" + accountID + ")")
		}
		return nil
	case err != nil:
		return err
	}
	return v.lookAtCopies(ctx, accountID)
}

// lookAtCopies compares an account's copies with the pool.
func (v *surveyor) lookAtCopies(ctx context.Context, accountID string) error {
	db, err := account.Database(accountID)
	if err != nil {
		return nil //nolint:nilerr // something else than an account
	}
	v.Accounts++
	copies, err := listedCopies(ctx, v.store, db)
	if err != nil && !fault.Is(err, fault.DatastoreMissingView) && !fault.Is(err, fault.DatastoreMissing) {
		return err
	}
	ids := append(slices.Clone(v.held[accountID]), copies...)
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), chunk) {
		if err := v.compare(ctx, db, accountID, some); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (v *surveyor) compare(ctx context.Context, db, accountID string, ids []string) error {
	pool, err := v.store.GetMany(ctx, Database, ids)
	if err != nil {
		return err
	}
	writes, err := projection.Differences(ctx, v.store, db, accountID, ids, pool)
	tallies := map[string]*Tally{CopyCreated: &v.Missing, CopyUpdated: &v.Stale, CopyRemoved: &v.LeftOver}
	for _, write := range writes {
		tallies[kindOf(write)].add(write.ID() + " (" + accountID + ")")
	}
	return err
}
