package routing

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Installer is what Install needs of a store.
type Installer interface {
	CreateDatabase(ctx context.Context, db string) error
	Install(ctx context.Context, db string, design document.Document) error
}

// Install makes sure that the registry's databases and its design document exist.
func Install(ctx context.Context, s Installer) error {
	for _, db := range []string{Database, ClaimsDatabase} {
		if err := s.CreateDatabase(ctx, db); err != nil {
			return err
		}
	}
	views, err := store.Design(couchdbviews.Files, "routing.json")
	if err != nil {
		return err
	}
	return s.Install(ctx, Database, views)
}
