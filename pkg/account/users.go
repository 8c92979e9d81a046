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
		return d.users(ctx, accountID, h.Value, view{"users", "creds_by_sha"}, view{"junctor", "users_by_sha1"})
	}
	return d.users(ctx, accountID, h.Value, view{"users", "creds_by_md5"}, view{"junctor", "users_by_md5"})
}

// usersByName returns the ids of the users of an account who have a name.
func (d *Directory) usersByName(ctx context.Context, accountID, username string) (ids []string, err error) {
	name := lowerName(username)
	err = d.Users(ctx, accountID, func(u User) error {
		if lowerName(u.Username) == name {
			ids = append(ids, u.ID)
		}
		return nil
	})
	return ids, err
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

// Users passes the users of an account to each, until each returns an error. An account that does not exist has none.
func (d *Directory) Users(ctx context.Context, accountID string, each func(User) error) error {
	db, err := Database(accountID)
	if err != nil {
		return nil //nolint:nilerr // an account that can't be has no users
	}
	return Documents(ctx, d.store, db, "user", func(doc document.Document) error {
		return each(User{
			ID: doc.ID(), Username: doc.String("username"), FirstName: doc.String("first_name"),
			LastName: doc.String("last_name"), Level: cmp.Or(doc.String("priv_level"), "user"), Enabled: !Disabled(doc),
		})
	})
}

// users lists the ids of users as list does. Our views, which are the last of views, are installed where they are missing.
func (d *Directory) users(ctx context.Context, accountID, key string, views ...view) ([]string, error) {
	db, err := Database(accountID)
	if err != nil {
		return nil, nil //nolint:nilerr // an account that can't be has no users
	}
	ids, err := d.list(ctx, db, key, views...)
	if !fault.Is(err, fault.DatastoreMissingView) {
		return ids, err
	}
	if err := store.InstallFile(ctx, d.store, db, couchdbviews.Files, "junctor_account.json"); err != nil {
		return nil, err
	}
	return d.list(ctx, db, key, views...)
}

// view names a view: Kazoo's, or one of ours for where Kazoo's is not installed.
type view struct{ design, name string }

// list returns the ids of the documents of a database that the first of views which is installed lists under key. A
// database that does not exist has none.
func (d *Directory) list(ctx context.Context, db, key string, views ...view) (ids []string, err error) {
	for _, v := range views {
		err = d.store.View(ctx, db, v.design, v.name, store.Query{Key: key}, func(row store.Row) error {
			// CouchDB compares keys by collation, under which different texts can be equal.
			if k := ""; row.Key(&k) == nil && k == key {
				ids = append(ids, row.ID())
			}
			return nil
		})
		if !fault.Is(err, fault.DatastoreMissingView) {
			break
		}
	}
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil
	}
	return ids, err
}
