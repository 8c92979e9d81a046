// Package account knows the accounts of a Kazoo cluster: their documents, the tree they form, the databases they
// live in, their users, and the few settings of the system that say which of them is the master.
//
// There are two documents of an account: in the account's own database, the source of truth, and a copy in "accounts",
// where look-ups by key or realm find it. In a store without a Kazoo, a Provisioner writes what Kazoo would have
// written, so that the store can be handed to a Kazoo later.
//
// The package knows neither HTTP nor CouchDB's wire nor tokens, and does not decide who may see an account.
package account

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// Reader reads documents; *store.Store is one.
type Reader interface {
	Get(ctx context.Context, db, id string) (document.Document, error)
}

// Account is what an account's document says of it.
type Account struct {
	ID       string
	Name     string
	Realm    string
	Language string
	// Tree holds the ids of the ancestors, the root first and the parent last.
	Tree []string
	// Superduper accounts may do everything everywhere.
	Superduper bool
	// Enabled is false for an account whose users and API key may do nothing. Its ancestors still manage it.
	Enabled bool
	// Deleted is a document that Kazoo marked as deleted but left in place.
	Deleted bool
	// TrialExpires is the end of the trial in Gregorian seconds, 0 where the account is on none.
	TrialExpires int64
}

// Get reads an account from its own database. One that does not exist is fault.BadIdentifier.
func Get(ctx context.Context, documents Reader, id string) (*Account, error) {
	doc, err := read(ctx, documents, id)
	if err != nil {
		return nil, err
	}
	return fromDocument(doc), nil
}

func read(ctx context.Context, documents Reader, id string) (document.Document, error) {
	db, err := Database(id)
	if err != nil {
		return nil, err
	}
	doc, err := documents.Get(ctx, db, id)
	if Missing(err) {
		return nil, fault.Unknown(id, err)
	}
	return doc, err
}

func fromDocument(doc document.Document) *Account {
	trial, _ := doc.Int("pvt_trial_expires")
	return &Account{
		ID:           doc.ID(),
		Name:         doc.String("name"),
		Realm:        doc.String("realm"),
		Language:     doc.String("language"),
		Tree:         doc.Strings("pvt_tree"),
		Superduper:   doc.Bool("pvt_superduper_admin"),
		Enabled:      doc["pvt_enabled"] == nil || doc.Bool("pvt_enabled"),
		Deleted:      doc.Bool(kazoo.FieldDeleted),
		TrialExpires: trial,
	}
}

// Missing reports whether err says that a document, or the database it would be in, does not exist. To Kazoo
// the two are one.
func Missing(err error) bool {
	return fault.Is(err, fault.BadIdentifier) || fault.Is(err, fault.DatastoreMissing)
}
