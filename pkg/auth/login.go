package auth

import (
	"context"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Login is what a user logs in with.
type Login struct {
	Hash  account.Hash
	Realm string // finds the account; empty is not given
	Name  string // finds the account where the realm does not
	// As is the user that the token is to act as; the zero value is none.
	As As
}

// ReadLogin reads the data of a request to log in, which satisfies the schema "user_auth". A phone number finds no
// account here: there are no numbers.
func ReadLogin(data document.Document) Login {
	l := Login{
		Hash:  account.Hash{Kind: data.String("method"), Value: data.String("credentials")},
		Realm: data.String("account_realm"),
		Name:  data.String("account_name"),
		As:    readAs(data["as"]),
	}
	if l.Hash.Kind == "" {
		l.Hash.Kind = account.MD5
	}
	if l.Realm == "" {
		l.Realm = data.String("realm")
	}
	return l
}

// User issues a token for the user who logs in. The error is of kind fault.Unauthenticated for a wrong login and nothing
// else, fault.Invalid in Crossbar's words (cb_user_auth) for a right one to an account that is disabled or whose trial is
// over, and fault.Forbidden for a request to act as a user that this one may not act as.
func (i *Issuer) User(ctx context.Context, l Login) (Grant, error) {
	accounts, err := i.directory.ByRealmOrName(ctx, l.Realm, l.Name)
	if err != nil {
		return Grant{}, err
	}
	master, err := i.directory.Master(ctx)
	if err == nil && len(accounts) == 0 {
		err = i.decoy(ctx, master, l)
	}
	if err != nil {
		return Grant{}, err
	}
	err = refuse("no account of that name or realm")
	for _, holder := range accounts {
		grant, failed := i.userOf(ctx, holder, l)
		switch {
		case failed == nil:
			return grant, nil
		case !fault.Is(failed, fault.Unauthenticated) && !fault.Is(failed, fault.Invalid):
			return Grant{}, failed
		case fault.Is(err, fault.Unauthenticated):
			err = failed // says more than that another account has no such user
		}
	}
	return Grant{}, err
}

// decoy does what a login with a wrong password takes, on the master account. Without it the time of the refusal would
// tell which realms and names there are.
func (i *Issuer) decoy(ctx context.Context, master string, l Login) error {
	if _, err := i.directory.Get(ctx, master); err != nil && !account.Missing(err) {
		return err
	}
	_, err := i.directory.UsersByHash(ctx, master, l.Hash)
	return err
}

// userOf issues a token for the user of one account.
func (i *Issuer) userOf(ctx context.Context, holder *account.Account, l Login) (Grant, error) {
	users, err := i.directory.UsersByHash(ctx, holder.ID, l.Hash)
	if err != nil {
		return Grant{}, err
	}
	if len(users) == 0 {
		return Grant{}, refuse("account %s has no user of that name and password", holder.ID)
	}
	if err := checkTrial(trialEnd(holder), i.now()); err != nil {
		return Grant{}, err
	}
	if !holder.Enabled {
		return Grant{}, accountDisabled()
	}
	claims := document.Document{"account_id": holder.ID, "owner_id": users[0], "method": byUser}
	if l.As != (As{}) {
		by := principal{accountID: holder.ID, ownerID: users[0]}
		target, err := checkAs(ctx, i.store, by, l.As, i.now())
		if err == nil {
			err = checkTrial(trialEnd(target), i.now())
		}
		if err != nil {
			return Grant{}, err
		}
		claims["as"] = l.As.claim()
	}
	return i.grant(ctx, claims, holder, holder, users[0])
}

// accountDisabled is the refusal of a right login to a disabled account, in Crossbar's words (cb_user_auth).
func accountDisabled() error { return fault.Finding("account", "disabled", "account disabled", nil) }
