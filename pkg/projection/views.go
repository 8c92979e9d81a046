package projection

import (
	"context"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
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

// views reads which addresses accounts hold, and of which they have copies.
type views struct{ store ViewStore }

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

// copies returns the ids of the copies in an account's database, by the view that Kazoo bills by. Without the view, as where
// no Kazoo is, it reads all documents of the database.
func (v views) copies(ctx context.Context, accountID string) (ids []string, err error) {
	db, err := account.Database(accountID)
	if err != nil {
		return nil, nil //nolint:nilerr // there can be no such database
	}
	q := store.Query{Key: []any{"ips", "dedicated"}}
	err = v.store.View(ctx, db, "services", "quantify", q, func(row store.Row) error {
		ids = append(ids, row.ID())
		return nil
	})
	if fault.Is(err, fault.DatastoreMissingView) {
		err = account.Documents(ctx, v.store, db, kazoo.TypeDedicatedIP, func(doc document.Document) error {
			ids = append(ids, doc.ID())
			return nil
		})
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil // compare finds that
	}
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
		if history.StateOf(found[id]).Exists {
			copies = append(copies, found[id])
		}
	}
	return copies, err
}
