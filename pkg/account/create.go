package account

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// NewAccount describes an account to create.
type NewAccount struct {
	Name   string // need not be unique
	Parent string // account id; empty is the master
	Realm  string // unique; empty is a random one below the master's
	// Admin is the account's first user; nil is none.
	Admin *NewUser
}

// Created describes a new account.
type Created struct {
	ID     string `json:"id"`
	APIKey string `json:"api_key"`
	Realm  string `json:"realm"`
	UserID string `json:"user_id,omitempty"` // of the admin, if there is to be one
}

// Create writes a new account, and then its admin: if only that fails, the account is returned with the error. What is
// wrong with the request is fault.Invalid, a realm that another account has fault.Conflict, and ErrManagedByKazoo
// says that a Kazoo manages the accounts.
func (f *Provisioner) Create(ctx context.Context, n NewAccount) (Created, error) {
	if err := f.mayWrite(ctx); err != nil {
		return Created{}, err
	}
	name := strings.TrimSpace(n.Name)
	if err := n.check(name); err != nil {
		return Created{}, err
	}
	master, err := f.master(ctx)
	if err != nil {
		return Created{}, err
	}
	parent, err := f.parent(ctx, n.Parent, master)
	if err != nil {
		return Created{}, err
	}
	realm, err := f.realm(ctx, n.Realm, master)
	if err != nil {
		return Created{}, err
	}
	doc := f.newAccount(randomHex(16), name, realm, append(parent.Tree, parent.ID))
	if err := f.enter(ctx, doc, parent); err != nil {
		return Created{}, err
	}
	created := Created{ID: doc.ID(), APIKey: doc.String("pvt_api_key"), Realm: realm}
	if n.Admin != nil {
		created.UserID, err = f.enterUser(ctx, created.ID, *n.Admin)
	}
	return created, err
}

// maxName is what Kazoo's schema allows.
const maxName = 128

func (n NewAccount) check(name string) error {
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return invalid("name", fmt.Sprintf("a name has 1 to %d characters", maxName))
	}
	if n.Admin != nil {
		return n.Admin.Check()
	}
	return nil
}

func (f *Provisioner) master(ctx context.Context) (*Account, error) {
	id, err := f.directory.Master(ctx)
	if err != nil {
		return nil, err
	}
	master, err := f.directory.Get(ctx, id)
	if fault.Is(err, fault.BadIdentifier) {
		return nil, fault.New(fault.DatastoreFault, "there is no master account: run \"junctor bootstrap\" first")
	}
	return master, err
}

func (f *Provisioner) parent(ctx context.Context, id string, master *Account) (*Account, error) {
	if id == "" || id == master.ID {
		return master, nil
	}
	return f.existing(ctx, id, "parent", "parent account")
}

// existing returns an account. One that does not exist, or is deleted, is a mistake in a field of the request.
func (f *Provisioner) existing(ctx context.Context, id, field, what string) (*Account, error) {
	found, err := f.directory.Get(ctx, id)
	if fault.Is(err, fault.BadIdentifier) || err == nil && found.Deleted {
		return nil, invalid(field, fmt.Sprintf("there is no %s %q", what, id))
	}
	return found, err
}

// validRealm is a host name.
var validRealm = regexp.MustCompile(`^[a-z0-9]([a-z0-9_.-]{2,251})[a-z0-9]$`)

// realm returns the realm of an account to be: the one asked for if it is free, else one below the master's.
func (f *Provisioner) realm(ctx context.Context, asked string, master *Account) (string, error) {
	realm := strings.ToLower(asked)
	if realm == "" {
		realm = randomHex(3) + ".sip." + master.Realm
	}
	if !validRealm.MatchString(realm) {
		return "", invalid("realm", fmt.Sprintf("%q is not a host name of 4 to 253 characters", asked))
	}
	holders, err := f.directory.idsByRealm(ctx, realm)
	if err == nil && len(holders) > 0 {
		err = realmTaken(realm)
	}
	return realm, err
}

func realmTaken(realm string) error {
	return fault.New(fault.Conflict, fmt.Sprintf("another account has the realm %q", realm))
}

// enter writes an account and makes sure that it is alone with its realm: of two that took one at the same
// time, at most one stays.
func (f *Provisioner) enter(ctx context.Context, doc document.Document, parent *Account) error {
	reseller, isReseller, err := f.directory.Reseller(ctx, parent)
	if err != nil {
		return err
	}
	if isReseller {
		reseller = parent.ID
	}
	if err := f.establish(ctx, doc, reseller); err != nil {
		return err
	}
	realm := doc.String("realm")
	holders, err := f.directory.idsByRealm(ctx, realm)
	if err != nil || len(holders) <= 1 {
		return err
	}
	if err := f.withdraw(ctx, doc.ID()); err != nil {
		return err
	}
	return realmTaken(realm)
}

// withdraw removes an account from the look-ups again. The id and the key of what is left were given to no client.
func (f *Provisioner) withdraw(ctx context.Context, id string) error {
	for _, db := range []string{kazoo.Accounts, kazoo.Services} {
		doc, err := f.store.Get(ctx, db, id)
		if err != nil {
			return err
		}
		if err := f.store.Delete(ctx, db, id, doc.Rev()); err != nil {
			return err
		}
	}
	return nil
}

func invalid(field, message string) error {
	fields := fault.Fields{}
	fields.Add(field, "invalid", message, nil)
	return &fault.Error{Kind: fault.Invalid, Message: message, Data: fields}
}
