package routing

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/store"
)

// Installer is what Install needs of a store.
type Installer interface {
	store.Installer
	CreateDatabase(ctx context.Context, db string) error
}

// Install makes sure that the registry's databases and its design document exist.
func Install(ctx context.Context, s Installer) error {
	for _, db := range []string{Database, ClaimsDatabase} {
		if err := s.CreateDatabase(ctx, db); err != nil {
			return err
		}
	}
	return store.InstallFile(ctx, s, Database, couchdbviews.Files, "routing.json")
}
