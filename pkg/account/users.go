package account

import (
	"cmp"
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// UsersByHash returns the ids of the users of an account who log in with a hash. An account that does not exist has
// no users.
func (d *Directory) UsersByHash(ctx context.Context, accountID string, h Hash) ([]string, error) {
	if h.Value == "" {
		return nil, nil
	}
	if h.Kind == SHA {
		return d.users(ctx, accountID, "creds_by_sha", "users_by_sha1", h.Value)
	}
	return d.users(ctx, accountID, "creds_by_md5", "users_by_md5", h.Value)
}

// usersByName returns the ids of the users of an account who have a name.
func (d *Directory) usersByName(ctx context.Context, accountID, username string) ([]string, error) {
	return d.users(ctx, accountID, "", "users_by_name", lowerName(username))
}

// User is what the document of a user says.
type User struct {
	ID        string
	Username  string
	FirstName string
	LastName  string
	Level     string // Kazoo's priv_level
	Enabled   bool
}

// Users passes the users of an account to each, until each returns an error. It installs nothing. An account that does
// not exist has none.
func (d *Directory) Users(ctx context.Context, accountID string, each func(User) error) error {
	db, err := Database(accountID)
	if err != nil {
		return nil //nolint:nilerr // an account that can't be has no users
	}
	views := [][2]string{{"users", "list_by_id"}, {"junctor", "users_by_name"}}
	return d.documentsOf(ctx, db, "user", views, func(doc document.Document) error {
		return each(User{
			ID: doc.ID(), Username: doc.String("username"), FirstName: doc.String("first_name"),
			LastName: doc.String("last_name"), Level: cmp.Or(doc.String("priv_level"), "user"), Enabled: !Disabled(doc),
		})
	})
}

// users returns the ids of the users of an account that a view lists under key: Kazoo's view where it is installed,
// else ours, which is installed where it is missing.
func (d *Directory) users(ctx context.Context, accountID, kazoos, ours, key string) ([]string, error) {
	db, err := Database(accountID)
	if err != nil {
		return nil, nil //nolint:nilerr // an account that can't be has no users
	}
	ids, err := d.list(ctx, db, "users", kazoos, key)
	if kazoos == "" || fault.Is(err, fault.DatastoreMissingView) {
		ids, err = d.list(ctx, db, "junctor", ours, key)
	}
	if fault.Is(err, fault.DatastoreMissingView) {
		if err := d.installViews(ctx, db); err != nil {
			return nil, err
		}
		ids, err = d.list(ctx, db, "junctor", ours, key)
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil
	}
	return ids, err
}

// list returns the ids of the documents that a view lists under key.
func (d *Directory) list(ctx context.Context, db, design, view, key string) (ids []string, err error) {
	if view == "" {
		return nil, nil
	}
	err = d.store.View(ctx, db, design, view, store.Query{Key: key}, func(row store.Row) error {
		// CouchDB compares keys by collation, under which different texts can be equal.
		if k := ""; row.Key(&k) == nil && k == key {
			ids = append(ids, row.ID())
		}
		return nil
	})
	return ids, err
}

// installViews gives the database of an account our views.
func (d *Directory) installViews(ctx context.Context, db string) error {
	return store.InstallFile(ctx, d.store, db, couchdbviews.Files, "junctor_account.json")
}
