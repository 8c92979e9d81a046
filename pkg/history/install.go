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

// Install makes sure that the database and its design document exist.
func Install(ctx context.Context, s store.DatabaseInstaller) error {
	return store.InstallDatabase(ctx, s, Database, couchdbviews.Files, "ip_history.json")
}
