package account

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Installer is what Install needs of a store.
type Installer interface {
	Reader
	store.Installer
}

// Install gives the database of accounts views of ours, unless a Kazoo has installed its own. If the database does not
// exist yet, Bootstrap installs them.
func Install(ctx context.Context, s Installer) error {
	_, err := s.Get(ctx, kazoo.Accounts, "_design/accounts")
	switch {
	case fault.Is(err, fault.DatastoreMissing):
		return nil
	case !fault.Is(err, fault.BadIdentifier):
		return err
	}
	return store.InstallFile(ctx, s, kazoo.Accounts, couchdbviews.Files, "junctor_accounts.json")
}
