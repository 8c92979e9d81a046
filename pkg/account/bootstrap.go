package account

import (
	"context"
	"maps"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Bootstrapped is what the operator of a store needs to begin with.
type Bootstrapped struct {
	AccountID string `json:"account_id"` // of the master account
	APIKey    string `json:"api_key"`    // of the master account
	ClusterID string `json:"cluster_id"`
}

// systemDatabases are those that the API needs; the rest are Kazoo's to create.
var systemDatabases = []string{
	kazoo.SystemConfig, kazoo.SystemAuth, kazoo.Accounts, kazoo.Services, kazoo.DedicatedIPs, kazoo.TokenAuth,
}

// Bootstrap makes a store usable: databases, configuration, signing key and master account. It may be repeated, run
// several times at once, and be interrupted anywhere: it creates what is missing, and of every random value the one
// that was written first counts. In a Kazoo's store it changes nothing and returns what is there.
func (f *Provisioner) Bootstrap(ctx context.Context) (Bootstrapped, error) {
	kazoo, err := f.ManagedByKazoo(ctx)
	if err != nil {
		return Bootstrapped{}, err
	}
	if !kazoo {
		if err := f.found(ctx); err != nil {
			return Bootstrapped{}, err
		}
	}
	return f.report(ctx)
}

func (f *Provisioner) found(ctx context.Context) error {
	for _, db := range systemDatabases {
		if err := f.store.CreateDatabase(ctx, db); err != nil {
			return err
		}
	}
	auth, err := f.configure(ctx, "auth", map[string]any{
		"system_key": randomHex(16), "secret_for_user_signature": randomHex(16),
	})
	if err != nil {
		return err
	}
	if err := f.ensureKey(ctx, auth.String("system_key")); err != nil {
		return err
	}
	if _, err := f.configure(ctx, "cluster", map[string]any{"cluster_id": randomHex(16)}); err != nil {
		return err
	}
	expiry := map[string]any{"token_auth_expiry_s": document.Number(3600)}
	if _, err := f.configure(ctx, "crossbar.auth", expiry); err != nil {
		return err
	}
	return f.foundMaster(ctx)
}

// configure makes sure that the section "default" of a configuration document has these settings, and returns
// the section. Settings that are there already stay.
func (f *Provisioner) configure(ctx context.Context, name string, settings map[string]any) (document.Document, error) {
	doc, err := f.store.Update(ctx, kazoo.SystemConfig, name, func(doc document.Document) error {
		section, _ := doc["default"].(map[string]any)
		merged := maps.Clone(settings)
		maps.Copy(merged, section)
		if len(merged) == len(section) {
			return store.ErrUnchanged
		}
		if doc.Rev() == "" {
			f.stamp(doc, kazoo.SystemConfig, kazoo.SystemConfig)
			doc[kazoo.FieldType] = "config"
		}
		doc["default"] = merged
		return nil
	})
	section, _ := doc["default"].(map[string]any)
	return section, err
}

// ensureKey makes sure that there is a signing key of that id.
func (f *Provisioner) ensureKey(ctx context.Context, id string) error {
	if _, err := f.store.Get(ctx, kazoo.SystemAuth, id); !fault.Is(err, fault.BadIdentifier) {
		return err
	}
	key, err := f.newKey(id)
	if err != nil {
		return err
	}
	f.stamp(key, kazoo.SystemAuth, kazoo.SystemAuth)
	return f.putNew(ctx, kazoo.SystemAuth, key)
}

// masterRealm ends in a domain that is reserved for private use; sub-accounts get realms below it.
const masterRealm = "junctor.internal"

// foundMaster makes sure that there is a master account. Its id is written into the configuration first, so that
// bootstraps that run at once write the same account.
func (f *Provisioner) foundMaster(ctx context.Context) error {
	accounts, err := f.configure(ctx, "accounts", map[string]any{"master_account_id": randomHex(16)})
	if err != nil {
		return err
	}
	master := f.newAccount(accounts.String("master_account_id"), "Master Account", masterRealm, nil)
	master["pvt_superduper_admin"] = true
	master["pvt_reseller"] = true
	return f.establish(ctx, master, master.ID())
}

// report returns what a bootstrapped store has.
func (f *Provisioner) report(ctx context.Context) (b Bootstrapped, err error) {
	if b.AccountID, err = f.directory.Master(ctx); err != nil {
		return Bootstrapped{}, err
	}
	if b.AccountID == "" {
		return Bootstrapped{}, incomplete("no master account in system_config/accounts")
	}
	master, err := read(ctx, f.store, b.AccountID)
	if fault.Is(err, fault.BadIdentifier) {
		return Bootstrapped{}, incomplete("no document of its master account " + b.AccountID)
	}
	if err != nil {
		return Bootstrapped{}, err
	}
	if b.APIKey = master.String("pvt_api_key"); b.APIKey == "" {
		return Bootstrapped{}, incomplete("no API key in its master account " + b.AccountID)
	}
	if b.ClusterID, err = f.directory.ClusterID(ctx); err != nil {
		return Bootstrapped{}, err
	}
	if b.ClusterID == "" {
		return Bootstrapped{}, incomplete("no cluster id in system_config/cluster")
	}
	return b, nil
}

func incomplete(what string) error {
	return fault.New(fault.DatastoreFault, "the Kazoo that lives in this store has "+what)
}
