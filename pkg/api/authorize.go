package api

import (
	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// anybody authorizes every request.
func anybody(*Server, *request) error { return nil }

// identified authorizes every good token whose restrictions allow the request.
func identified(s *Server, r *request) error { return s.admit(r, nil) }

// superduper authorizes accounts that may do everything (cb_ips:authorize without an account).
func superduper(s *Server, r *request) error {
	if err := s.admit(r, nil); err != nil {
		return err
	}
	return mustBeSuperduper(r)
}

func mustBeSuperduper(r *request) error {
	if !r.identity.Superduper {
		return fault.New(fault.Forbidden, "")
	}
	return nil
}

// ofAccount authorizes those who have rights on the account in the path: itself, its ancestors and superduper accounts
// (cb_simple_authz).
func ofAccount(s *Server, r *request) error {
	id := r.vars["account"]
	if !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	target := r.identity.Account // read already, to authenticate
	if target == nil || target.ID != id {
		var err error
		if target, err = s.Accounts.Get(r.Context(), id); err != nil {
			return err
		}
	}
	if err := s.admit(r, target); err != nil {
		return err
	}
	if !r.identity.MaySee(target) {
		return fault.New(fault.Forbidden, "")
	}
	r.account = target
	return nil
}

// ofLevel authorizes those who are of a level of the routing API.
func ofLevel(l auth.Level) authorizer {
	return func(s *Server, r *request) error {
		if err := s.admit(r, nil); err != nil {
			return err
		}
		return s.Tokens.Require(r.identity, l)
	}
}

// admit refuses requests that the restrictions on their token don't allow. target is the account in the path, nil if
// there is none.
func (s *Server) admit(r *request, target *account.Account) error {
	return s.Tokens.CheckRestrictions(r.Context(), r.identity, auth.Access{Path: r.segments, Verb: r.verb, Account: target})
}

// badAccount is the fault of an account id that can't be one. Its message has a space where that of an account which
// merely does not exist has an underscore (api_resource:malformed_request).
func badAccount(message string) error {
	return &fault.Error{Kind: fault.BadIdentifier, Message: "bad identifier", Data: map[string]any{"message": message}}
}

// ofAnyAccount authorizes every request whose path has a possible account id. The account need not exist.
func ofAnyAccount(_ *Server, r *request) error {
	if id := r.vars["account"]; !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	return nil
}
