package projection

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// ViewStore is what the lists of accounts and copies are read from. It is not written to.
type ViewStore interface {
	account.Reader
	Reader
	store.Viewer
	store.Lister
}

// views reads lists from Kazoo's views where they are installed, and else from ours.
type views struct {
	store     ViewStore
	installer store.Installer // installs ours where neither is; nil disables that
}

// heldByAccount returns which addresses each account holds.
func (v views) heldByAccount(ctx context.Context) (map[string][]string, error) {
	held := map[string][]string{}
	err := v.store.View(ctx, kazoo.DedicatedIPs, "dedicated_ips", "assigned_to_listing", store.Query{}, func(row store.Row) error {
		accountID := ""
		if row.Key(&accountID) == nil && accountID != "" { // null where Crossbar assigned it to nobody
			held[accountID] = append(held[accountID], row.ID())
		}
		return nil
	})
	return held, err
}

// copies returns the ids of the copies in an account's database, by the view that Kazoo bills by. Where no view lists
// them there are none but of addresses that the account holds.
func (v views) copies(ctx context.Context, accountID string) ([]string, error) {
	db, err := account.Database(accountID)
	if err != nil {
		return nil, nil //nolint:nilerr // there can be no such database
	}
	ours := func() ([]string, error) { return v.list(ctx, db, "junctor", "dedicated_ips", nil) }
	ids, err := v.list(ctx, db, "services", "quantify", []any{"ips", "dedicated"})
	if fault.Is(err, fault.DatastoreMissingView) {
		ids, err = ours()
	}
	if fault.Is(err, fault.DatastoreMissingView) {
		if v.installer == nil {
			return nil, nil
		}
		if err = store.InstallFile(ctx, v.installer, db, couchdbviews.Files, "junctor_account.json"); err == nil {
			ids, err = ours()
		}
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil // compare finds that
	}
	return ids, err
}

func (v views) list(ctx context.Context, db, design, view string, key any) (ids []string, err error) {
	err = v.store.View(ctx, db, design, view, store.Query{Key: key}, func(row store.Row) error {
		ids = append(ids, row.ID())
		return nil
	})
	return ids, err
}

// documents returns those of an account's documents that are copies.
func (v views) documents(ctx context.Context, accountID string, ids []string) (copies []document.Document, err error) {
	db, err := account.Database(accountID)
	if err != nil {
		return nil, err
	}
	found, err := v.store.GetMany(ctx, db, ids)
	for _, id := range ids {
		if IsDedicatedIP(found[id]) {
			copies = append(copies, found[id])
		}
	}
	return copies, err
}
