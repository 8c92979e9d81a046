package doctor

import (
	"context"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// masterAccount checks whether the operator has an account.
func (e *examination) masterAccount(ctx context.Context) Finding {
	const remedy = "put the id of the operator's account into " + kazoo.SystemConfig + "/accounts, default.master_account_id"
	id, err := e.config.Master(ctx)
	if err != nil {
		return failed(err)
	}
	if id == "" {
		return broken("the settings name no master account", remedy)
	}
	master, err := account.Get(ctx, e.store, id)
	switch {
	case account.Missing(err):
		return broken("account "+id+" has no database, or no document there", remedy)
	case err != nil:
		return failed(err)
	case master.Deleted:
		return broken("account "+id+" is marked as deleted", remedy)
	}
	if _, err := e.store.Get(ctx, kazoo.Accounts, id); account.Missing(err) {
		return broken("account "+id+" is not in the database "+kazoo.Accounts+", so its API key is not found",
			"save it once through Crossbar, which writes it there")
	} else if err != nil {
		return failed(err)
	}
	if !master.Superduper {
		return warning("account "+id+" is not a superduper admin: only superduper admins create and delete addresses",
			"\"sup crossbar_maintenance promote_account\" makes it one")
	}
	return fine("%s (%s), a superduper admin", id, master.Name)
}

// accountViews checks whether accounts can be found by key, realm and name: through Kazoo's views, or ours where Kazoo
// has none.
func (e *examination) accountViews(ctx context.Context) Finding {
	const remedy = "\"sup kapps_maintenance refresh " + kazoo.Accounts + "\" installs them"
	design, err := e.store.Get(ctx, kazoo.Accounts, "_design/accounts")
	switch {
	case fault.Is(err, fault.BadIdentifier):
		return fine("Kazoo's are missing; junctor uses its own, which \"serve\" installs")
	case fault.Is(err, fault.DatastoreMissing):
		return fine("no database yet")
	case err != nil:
		return failed(err)
	}
	wanted := []string{"listing_by_api", "listing_by_name", "listing_by_realm"}
	if missing := lacking(design, wanted); len(missing) > 0 {
		return broken("_design/accounts has no "+strings.Join(missing, ", ")+", so logins fail", remedy)
	}
	if text := e.failing(ctx, kazoo.Accounts, design, wanted); text != "" {
		return broken(text, remedy)
	}
	return fine("Kazoo's, and they can be queried")
}
