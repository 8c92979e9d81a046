package account

import (
	"context"
	"slices"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Store is what the package needs of a store.
type Store interface {
	Reader
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
	Put(ctx context.Context, db string, doc document.Document) (rev string, err error)
	Delete(ctx context.Context, db, id, rev string) error
	Update(ctx context.Context, db, id string, change func(document.Document) error) (document.Document, error)
	store.Viewer
	store.Lister
	store.Installer
	CreateDatabase(ctx context.Context, db string) error
}

// Directory finds accounts. It is safe for concurrent use.
type Directory struct {
	Config
	store Store
}

// NewDirectory returns the accounts in s.
func NewDirectory(s Store) *Directory { return &Directory{Config: NewConfig(s), store: s} }

// At returns the same accounts with the settings as they are for a node.
func (d *Directory) At(n Node) *Directory { return &Directory{Config: d.Config.At(n), store: d.store} }

// Reading returns the same accounts with single documents, and those of the settings, read from a cache of the store.
func (d *Directory) Reading(cache Reader) *Directory {
	return &Directory{Config: NewConfig(cache).At(d.node), store: d.store}
}

// Get reads an account. One that does not exist is fault.BadIdentifier.
func (d *Directory) Get(ctx context.Context, id string) (*Account, error) {
	return Get(ctx, d.documents, id)
}

// ByAPIKey finds the account whose API key is exactly key. Where there is none, that is fault.BadIdentifier.
func (d *Directory) ByAPIKey(ctx context.Context, key string) (*Account, error) {
	ids, err := d.list(ctx, kazoo.Accounts, key, view{"accounts", "listing_by_api"}, view{"junctor", "by_api_key"})
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fault.New(fault.BadIdentifier, "")
	}
	return d.Get(ctx, ids[0])
}

// ByRealmOrName finds the accounts that a login names: those that have the realm, without regard to case, else those
// that have the name, of which only the letters a to z, in either case, and digits count. It looks up both whatever the
// first comes to, so that its time does not tell which exist.
func (d *Directory) ByRealmOrName(ctx context.Context, realm, name string) ([]*Account, error) {
	byRealm, err := d.idsByRealm(ctx, realm)
	if err != nil {
		return nil, err
	}
	byName, err := d.idsByName(ctx, name)
	if err != nil {
		return nil, err
	}
	found, err := d.present(ctx, byRealm)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return d.present(ctx, byName)
}

func (d *Directory) idsByRealm(ctx context.Context, realm string) ([]string, error) {
	if realm == "" {
		return nil, nil
	}
	return d.list(ctx, kazoo.Accounts, strings.ToLower(realm),
		view{"accounts", "listing_by_realm"}, view{"junctor", "by_realm"})
}

func (d *Directory) idsByName(ctx context.Context, name string) ([]string, error) {
	key := kazoo.Alphanumeric(name)
	if key == "" {
		return nil, nil
	}
	return d.list(ctx, kazoo.Accounts, key, view{"accounts", "listing_by_name"}, view{"junctor", "by_name"})
}

// present reads accounts by their ids, without those that are gone.
func (d *Directory) present(ctx context.Context, ids []string) (found []*Account, err error) {
	for _, id := range ids {
		a, err := d.Get(ctx, id)
		if fault.Is(err, fault.BadIdentifier) || err == nil && a.Deleted {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, nil
}

// Reseller reports whether an account is a reseller, and returns the id of its own one: the nearest ancestor that is a
// reseller, else the master (kz_services_reseller find_id). The documents in "services" decide.
func (d *Directory) Reseller(ctx context.Context, a *Account) (id string, isReseller bool, err error) {
	services, err := d.store.GetMany(ctx, kazoo.Services, append([]string{a.ID}, a.Tree...))
	if err != nil && !Missing(err) {
		return "", false, err
	}
	isReseller = services[a.ID].Bool("pvt_reseller")
	for _, ancestor := range slices.Backward(a.Tree) {
		if services[ancestor].Bool("pvt_reseller") {
			return ancestor, isReseller, nil
		}
	}
	id, err = d.Master(ctx)
	return id, isReseller, err
}
