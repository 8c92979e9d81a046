package routing

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/store"
)

// Install makes sure that the registry's databases and its design document exist.
func Install(ctx context.Context, s store.DatabaseInstaller) error {
	if err := s.CreateDatabase(ctx, ClaimsDatabase); err != nil {
		return err
	}
	return store.InstallDatabase(ctx, s, Database, couchdbviews.Files, "routing.json")
}
