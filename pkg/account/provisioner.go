package account

import (
	"context"
	"os"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// Provisioner writes what a store lacks that no Kazoo looks after: the documents of the system, and accounts.
type Provisioner struct {
	store     Store
	directory *Directory
	newKey    func(id string) (document.Document, error)
	now       func() time.Time
	node      string
}

// NewProvisioner returns a Provisioner for s. newKey makes the document, with its attachment, of a signing key of that
// id; times are taken from now.
func NewProvisioner(s Store, newKey func(id string) (document.Document, error), now func() time.Time) *Provisioner {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return &Provisioner{store: s, directory: NewDirectory(s), newKey: newKey, now: now, node: nodePrefix + host}
}

// nodePrefix begins the pvt_node of every document that is written here. Kazoo's nodes have other names, and
// Kazoo puts its own on every document that it saves.
const nodePrefix = "junctor@"

// ErrManagedByKazoo refuses to write what a running Kazoo has in its caches: Kazoo would not notice the change.
var ErrManagedByKazoo = fault.New(fault.Forbidden,
	"a Kazoo lives in this store: manage accounts and users through Kazoo")

// ManagedByKazoo reports whether the store is a Kazoo's: one that junctor did not bootstrap, or that a Kazoo has
// taken over since.
func (f *Provisioner) ManagedByKazoo(ctx context.Context) (bool, error) {
	for _, name := range []string{"accounts", "auth"} {
		doc, err := f.store.Get(ctx, kazoo.SystemConfig, name)
		switch {
		case Missing(err):
		case err != nil:
			return false, err
		case !strings.HasPrefix(doc.String("pvt_node"), nodePrefix):
			return true, nil
		}
	}
	return false, nil
}

// stamp sets what Kazoo's documents say of themselves: where they belong, when and by whom they were written.
func (f *Provisioner) stamp(doc document.Document, id, db string) {
	now := document.Number(kazoo.Gregorian(f.now()))
	doc["pvt_account_id"], doc["pvt_account_db"] = id, db
	doc[kazoo.FieldCreated], doc[kazoo.FieldModified] = now, now
	doc["pvt_node"] = f.node
}

// putNew writes a document unless there is one with its id: of several writers the first one wins.
func (f *Provisioner) putNew(ctx context.Context, db string, doc document.Document) error {
	_, err := f.store.Get(ctx, db, doc.ID())
	if !fault.Is(err, fault.BadIdentifier) {
		return err
	}
	_, err = f.store.Put(ctx, db, doc)
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
