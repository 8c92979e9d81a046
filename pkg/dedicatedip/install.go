package dedicatedip

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Installer is what Install needs of a store.
type Installer interface {
	CreateDatabase(ctx context.Context, db string) error
	Get(ctx context.Context, db, id string) (document.Document, error)
	Install(ctx context.Context, db string, design document.Document) error
	InstallIfMissing(ctx context.Context, db string, design document.Document) error
}

// kazooCopy is the document that Kazoo installs _design/dedicated_ips from
// (kapps_maintenance:register_system_dbs_views).
const kazooCopy = "dedicated_ips-kazoo_apps-dedicated_ips"

// Install makes sure that the databases of the pool and its design documents exist. Kazoo's own is left alone
// where it is there, and where only its source is (system_data), that text is taken: Kazoo rewrites a design
// document of which a byte differs, and CouchDB then builds the index anew.
func Install(ctx context.Context, s Installer) error {
	for _, db := range []string{Database, stateDatabase} {
		if err := s.CreateDatabase(ctx, db); err != nil {
			return err
		}
	}
	kazoos, err := KazooText(ctx, s)
	if err != nil {
		return err
	}
	if err := s.InstallIfMissing(ctx, Database, kazoos); err != nil {
		return err
	}
	ours, err := store.Design(couchdbviews.Files, "junctor_dedicated_ips.json")
	if err != nil {
		return err
	}
	return s.Install(ctx, Database, ours)
}

// KazooText answers the text of _design/dedicated_ips that Install writes where there is none: what this Kazoo would
// write, and where it does not say, ours.
func KazooText(ctx context.Context, s account.Reader) (document.Document, error) {
	source, err := s.Get(ctx, "system_data", kazooCopy)
	if err == nil {
		if text, ok := source["view_definition"].(map[string]any); ok {
			design := document.Document(text).Clone()
			delete(design, "kazoo") // the installed document has none
			delete(design, "_rev")
			design["_id"] = "_design/" + kazooDesign
			return design, nil
		}
	} else if !fault.Is(err, fault.BadIdentifier) && !fault.Is(err, fault.DatastoreMissing) {
		return nil, err
	}
	return store.Design(couchdbviews.Files, "dedicated_ips.json")
}
