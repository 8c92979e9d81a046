package crossbar

import (
	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// Authorizer returns why a request is not authorized.
type Authorizer func(*Request) error

// Anybody authorizes every request.
func Anybody(*Request) error { return nil }

// Identified authorizes every good token whose restrictions allow the request.
func Identified(r *Request) error { return r.admit(nil) }

// Superduper authorizes accounts that may do everything (cb_ips:authorize without an account).
func Superduper(r *Request) error {
	if err := r.admit(nil); err != nil {
		return err
	}
	return r.RequireSuperduper()
}

// RequireSuperduper returns fault.Forbidden unless an account asks that may do everything.
func (r *Request) RequireSuperduper() error {
	if !r.Identity.Superduper {
		return fault.New(fault.Forbidden, "")
	}
	return nil
}

// OfAccount authorizes those who have rights on the {account} in the path, which becomes r.Account: itself, its
// ancestors and superduper accounts (cb_simple_authz).
func OfAccount(r *Request) error {
	if r.Identity.LookupKey != "" { // which may not learn which accounts exist
		return r.admit(nil)
	}
	id := r.Vars["account"]
	if !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	target := r.Identity.Account // read already, to authenticate
	if target == nil || target.ID != id {
		var err error
		if target, err = r.server.Accounts.Get(r.Context(), id); err != nil {
			return err
		}
	}
	if err := r.admit(target); err != nil {
		return err
	}
	if !r.Identity.MaySee(target) {
		return fault.New(fault.Forbidden, "")
	}
	r.Account = target
	return nil
}

// OfLevel authorizes those who are of a level of the routing API.
func OfLevel(l auth.Level) Authorizer {
	return func(r *Request) error {
		if err := r.admit(nil); err != nil {
			return err
		}
		return r.server.Tokens.Require(r.Identity, l)
	}
}

// admit refuses requests that the restrictions on their token don't allow. target is the account in the path, nil if
// there is none.
func (r *Request) admit(target *account.Account) error {
	return r.server.Tokens.CheckRestrictions(r.Context(), r.Identity, auth.Access{Path: r.segments, Verb: r.verb, Account: target})
}

// badAccount is the fault of an account id that can't be one. Its message has a space where that of an account which
// merely does not exist has an underscore (api_resource:malformed_request).
func badAccount(message string) error {
	return &fault.Error{Kind: fault.BadIdentifier, Message: "bad identifier", Data: map[string]any{"message": message}}
}

// OfAnyAccount authorizes every request whose path has a possible account id. The account need not exist.
func OfAnyAccount(r *Request) error {
	if id := r.Vars["account"]; !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	return nil
}
