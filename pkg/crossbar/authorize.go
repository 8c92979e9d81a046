package crossbar

import (
	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// Authorizer returns why a request is not authorized. It is called after the restrictions on the token have allowed the
// request, with r.Identity unless the resource is open.
type Authorizer func(r *Request) error

// Anybody authorizes every request.
func Anybody(*Request) error { return nil }

// Identified authorizes every good token.
func Identified(*Request) error { return nil }

// Superduper authorizes accounts that may do everything (cb_ips:authorize without an account).
func Superduper(r *Request) error {
	if !r.Identity.Superduper {
		return fault.New(fault.Forbidden, "")
	}
	return nil
}

// OfAccount authorizes those who have rights on r.Account: itself, its ancestors and superduper accounts
// (cb_simple_authz).
func OfAccount(r *Request) error {
	if !r.Identity.MaySee(r.Account) {
		return fault.New(fault.Forbidden, "")
	}
	return nil
}

// OfLevel authorizes those who are of a level of the routing API.
func OfLevel(l auth.Level) Authorizer {
	return func(r *Request) error { return r.server.Tokens.Require(r.Identity, l) }
}

// OfAnyAccount authorizes every request whose path has a possible account id. The account need not exist.
func OfAnyAccount(r *Request) error {
	if id := r.Vars["account"]; !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	return nil
}

// accountInPath reads the account whose id is in the path.
func (s *Server) accountInPath(r *Request, id string) (*account.Account, error) {
	if !account.ValidID(id) {
		return nil, badAccount("invalid account_id '" + id + "'")
	}
	if own := r.Identity.Account; own != nil && own.ID == id { // read already, to authenticate
		return own, nil
	}
	return s.Accounts.Get(r.Context(), id)
}

// badAccount is the fault of an account id that can't be one. Its message has a space where that of an account which
// merely does not exist has an underscore (api_resource:malformed_request).
func badAccount(message string) error {
	return &fault.Error{Kind: fault.BadIdentifier, Message: "bad identifier", Data: map[string]any{"message": message}}
}
