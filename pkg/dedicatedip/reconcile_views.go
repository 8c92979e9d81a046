package dedicatedip

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// heldByAccount reads which addresses each account holds.
func (r *Reconciler) heldByAccount(ctx context.Context) (map[string][]string, error) {
	held := map[string][]string{}
	err := r.eachHeld(ctx, func(accountID, id string) { held[accountID] = append(held[accountID], id) })
	return held, err
}

func (r *Reconciler) eachHeld(ctx context.Context, each func(accountID, id string)) error {
	return r.store.View(ctx, Database, kazooDesign, "assigned_to_listing", store.Query{}, func(row store.Row) error {
		accountID := ""
		if row.Key(&accountID) == nil && accountID != "" { // null where Crossbar assigned it to nobody
			each(accountID, row.ID())
		}
		return nil
	})
}

// accounts reads the ids of all accounts, in order. Where nothing is bootstrapped yet, there are none. Our view is
// installed where there is no other.
func (r *Reconciler) accounts(ctx context.Context) ([]string, error) {
	ids, err := listedAccounts(ctx, r.store, r.pageSize)
	if fault.Is(err, fault.DatastoreMissingView) {
		if err := r.installIn(ctx, kazoo.Accounts, "junctor_accounts.json"); err != nil {
			return nil, err
		}
		ids, err = listedAccounts(ctx, r.store, r.pageSize)
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil
	}
	return ids, err
}

// listedAccounts reads the ids of all accounts from Kazoo's view where it is installed, else from ours. Kazoo's emits
// [id, tree], ours the id: only the document that emitted a row counts.
func listedAccounts(ctx context.Context, s store.Viewer, pageSize int) (ids []string, err error) {
	page := func(some []string) error {
		ids = append(ids, some...)
		return nil
	}
	err = store.ViewPages(ctx, s, kazoo.Accounts, "accounts", "listing_by_id", pageSize, page)
	if fault.Is(err, fault.DatastoreMissingView) {
		err = store.ViewPages(ctx, s, kazoo.Accounts, ourDesign, "by_id", pageSize, page)
	}
	return ids, err
}

// copiesOf reads the ids of the copies in an account's database. Our view is installed where there is no other.
func (r *Reconciler) copiesOf(ctx context.Context, accountID string) ([]string, error) {
	db, err := account.Database(accountID)
	if err != nil {
		return nil, nil //nolint:nilerr // there can be no such database
	}
	ids, err := listedCopies(ctx, r.store, db)
	if fault.Is(err, fault.DatastoreMissingView) {
		if err := r.installIn(ctx, db, "junctor_account.json"); err != nil {
			return nil, err
		}
		ids, err = listedCopies(ctx, r.store, db)
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil // who holds addresses there is told when they are looked at
	}
	return ids, err
}

// listedCopies reads the ids of the copies in an account's database from the view that Kazoo bills by, where it is
// installed, else from ours.
func listedCopies(ctx context.Context, s store.Viewer, db string) ([]string, error) {
	ids, err := copiesIn(ctx, s, db, "services", "quantify", []any{"ips", "dedicated"})
	if fault.Is(err, fault.DatastoreMissingView) {
		ids, err = copiesIn(ctx, s, db, ourDesign, "dedicated_ips", nil)
	}
	return ids, err
}

func copiesIn(ctx context.Context, s store.Viewer, db, design, view string, key any) (ids []string, err error) {
	err = s.View(ctx, db, design, view, store.Query{Key: key}, func(row store.Row) error {
		ids = append(ids, row.ID())
		return nil
	})
	return ids, err
}

func (r *Reconciler) installIn(ctx context.Context, db, file string) error {
	design, err := store.Design(couchdbviews.Files, file)
	if err != nil {
		return err
	}
	return r.store.Install(ctx, db, design)
}
