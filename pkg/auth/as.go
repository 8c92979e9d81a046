package auth

import (
	"context"
	"errors"
	"maps"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fresh"
)

// actAs lets an identity act as a user of an account below its own, if its token says so (cb_token_auth check_as).
// A claim that does not name both is ignored. The account itself counts as below, since Kazoo's view of the
// descendants lists it.
func (a *Authenticator) actAs(ctx context.Context, q *fresh.Inquiry, i *Identity) error {
	as, _ := i.Claims["as"].(map[string]any)
	id, owner := document.Document(as).String("account_id"), document.Document(as).String("owner_id")
	if id == "" || owner == "" {
		return nil
	}
	target, err := account.Get(ctx, q, id)
	if err != nil {
		return refuseMissing("the account to act as", err)
	}
	if target.Deleted || id != i.AccountID && !slices.Contains(target.Tree, i.AccountID) {
		return refuse(errors.New("the account to act as is not below the token's account"))
	}
	i.Claims = maps.Clone(i.Claims)
	i.Claims["account_id"], i.Claims["owner_id"] = id, owner
	delete(i.Claims, "device_id")
	i.AccountID, i.OwnerID = id, owner
	return a.rank(ctx, q, i, target)
}
