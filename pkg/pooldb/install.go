package pooldb

import (
	"context"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// Installer is what Install needs of a store.
type Installer interface {
	account.Reader
	store.Installer
	CreateDatabase(ctx context.Context, db string) error
	DatabaseExists(ctx context.Context, db string) (bool, error)
	Put(ctx context.Context, db string, doc document.Document) (rev string, err error)
	InstallIfMissing(ctx context.Context, db string, design document.Document) error
}

// kazooCopy is the document that Kazoo installs _design/dedicated_ips from
// (kapps_maintenance:register_system_dbs_views).
const kazooCopy = "dedicated_ips-kazoo_apps-dedicated_ips"

// markID is the document in our own database that records that the pool's database has existed. If it exists and the
// database does not, the pool was lost: an empty one in its place would make all copies look left over.
const markID = "pool"

// Install makes sure that the databases of the pool and its design documents exist. It does not create the pool's
// database a second time: if it is gone, it returns projection.ErrPoolMissing. It does not change Kazoo's design document
// if there is one. If only its source exists (system_data), it installs that text: Kazoo rewrites a design document of
// which a byte differs, and CouchDB then builds the index again.
func Install(ctx context.Context, s Installer) error {
	if err := s.CreateDatabase(ctx, projection.StateDatabase); err != nil {
		return err
	}
	exists, err := s.DatabaseExists(ctx, Database)
	if err != nil {
		return err
	}
	if exists {
		return equip(ctx, s)
	}
	existed, err := marked(ctx, s)
	if err != nil {
		return err
	}
	if !existed {
		return Create(ctx, s)
	}
	exists, err = s.DatabaseExists(ctx, Database) // another process may just have created and marked it
	switch {
	case err != nil:
		return err
	case !exists:
		return projection.ErrPoolMissing
	}
	return equip(ctx, s)
}

// marked reports whether the pool's database has existed.
func marked(ctx context.Context, s Installer) (bool, error) {
	_, err := s.Get(ctx, projection.StateDatabase, markID)
	if fault.Is(err, fault.BadIdentifier) {
		return false, nil
	}
	return err == nil, err
}

// Create creates the pool's database if it does not exist, and installs its design documents. Unlike Install it does so
// also if the pool was lost.
func Create(ctx context.Context, s Installer) error {
	if err := s.CreateDatabase(ctx, Database); err != nil {
		return err
	}
	return equip(ctx, s)
}

// equip marks that the pool's database has existed, and installs its design documents.
func equip(ctx context.Context, s Installer) error {
	_, err := s.Put(ctx, projection.StateDatabase, document.Document{"_id": markID, kazoo.FieldType: "junctor_pool"})
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return installViews(ctx, s)
}

// installViews installs the design documents of the pool.
func installViews(ctx context.Context, s Installer) error {
	kazoos, err := KazooText(ctx, s)
	if err != nil {
		return err
	}
	if err := s.InstallIfMissing(ctx, Database, kazoos); err != nil {
		return err
	}
	return store.InstallFile(ctx, s, Database, couchdbviews.Files, "junctor_dedicated_ips.json")
}

// KazooText returns the text of _design/dedicated_ips that Install writes if there is none: the source in system_data,
// or ours if that has none.
func KazooText(ctx context.Context, s account.Reader) (document.Document, error) {
	source, err := s.Get(ctx, kazoo.SystemData, kazooCopy)
	if err == nil {
		if text, ok := source["view_definition"].(map[string]any); ok {
			design := document.Document(text).Clone()
			delete(design, "kazoo") // the installed document has none
			delete(design, "_rev")
			design["_id"] = "_design/" + KazooDesign
			return design, nil
		}
	} else if !fault.Is(err, fault.BadIdentifier) && !fault.Is(err, fault.DatastoreMissing) {
		return nil, err
	}
	return store.Design(couchdbviews.Files, "dedicated_ips.json")
}
