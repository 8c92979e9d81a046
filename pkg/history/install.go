package history

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/store"
)

// Database holds the events, each a document under its ID.
const Database = "ip_history"

// The names of the design document and of its views.
const (
	design    = "ip_history"
	byAddress = "by_address" // address, time, number, generation of the revision that was found
	byAccount = "by_account" // account before or after, time, address, number, generation
	byTime    = "by_time"    // time, address, number, generation
	byDay     = "by_day"     // day; how many addresses more were held at its end
)

// Installer is what Install needs of a store.
type Installer interface {
	store.Installer
	CreateDatabase(ctx context.Context, db string) error
}

// Install makes sure that the database and its design document exist.
func Install(ctx context.Context, s Installer) error {
	if err := s.CreateDatabase(ctx, Database); err != nil {
		return err
	}
	return store.InstallFile(ctx, s, Database, couchdbviews.Files, "ip_history.json")
}
