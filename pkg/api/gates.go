package api

import (
	"mime"
	"net/http"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

func anybody(*Server, *request) error { return nil }

// identified lets those pass whose token is good and allows them this.
func identified(s *Server, r *request) error { return s.admit(r, nil) }

// superduper lets accounts pass that may do everything (cb_ips:authorize without an account).
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

// ofAccount lets those pass who have rights on the account in the path: itself, its ancestors and superduper
// accounts (cb_simple_authz).
func ofAccount(s *Server, r *request) error {
	if r.identity == nil {
		return r.refused
	}
	id := r.vars["account"]
	if !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	target, err := s.Accounts.Get(r.ctx(), id)
	if err != nil {
		return err
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

// ofLevel lets those pass who are of a level of the routing API.
func ofLevel(l auth.Level) gate {
	return func(s *Server, r *request) error {
		if err := s.admit(r, nil); err != nil {
			return err
		}
		return s.Tokens.Require(r.ctx(), r.identity, l)
	}
}

// admit refuses requests without a good token, and those that its restrictions don't allow. target is the account
// in the path, nil where there is none.
func (s *Server) admit(r *request, target *account.Account) error {
	if r.identity == nil {
		return r.refused
	}
	noun, parameters := r.endpoint()
	return s.Tokens.CheckRestrictions(r.ctx(), r.identity, auth.Access{
		Endpoint: noun, Parameters: parameters, Verb: r.verb, Account: target,
	})
}

// badAccount answers an account id that can't be one. Its message has a space where that of an account which
// merely does not exist has an underscore (api_resource:malformed_request).
func badAccount(message string) error {
	return &fault.Error{Kind: fault.BadIdentifier, Message: "bad identifier", Data: map[string]any{"message": message}}
}

// taken are the media ranges of Accept that get JSON: those that JSON matches, and those that Crossbar has other
// representations for. An answer is never anything but JSON.
var taken = map[string]bool{
	"*/*": true, "application/*": true, "application/json": true, "application/x-json": true,
	"application/base64": true, "application/x-base64": true, "application/octet-stream": true,
	"application/javascript": true, "text/csv": true, "text/comma-separated-values": true,
}

// acceptsJSON reports whether the client would take an answer. A setting "accept" speaks louder than the header,
// and what it asks for gets JSON; so does a header that can't be read.
func acceptsJSON(r *request) bool {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if header == "" || r.value("accept") != nil {
		return true
	}
	readable := false
	for _, part := range strings.Split(header, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		readable = true
		if taken[media] && strings.Trim(params["q"], "0.") != "" || taken[media] && params["q"] == "" {
			return true
		}
	}
	return !readable
}

// isCORS reports whether a page of another origin is asking (api_resource:is_cors_request).
func isCORS(r *request) bool {
	for _, name := range []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// everyMethod is what a page hears of a resource when the request failed before it was looked for.
var everyMethod = []string{"OPTIONS", "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}

// setCORS tells a browser that any page may use the resource: tokens are sent on purpose, never by the browser.
func setCORS(h http.Header, r *request) {
	allowed := everyMethod
	if r.settled {
		allowed = r.resource.allowed()
	}
	if asked := r.Header.Get("Access-Control-Request-Method"); known[asked] && asked != "" {
		allowed = append([]string{asked}, without(allowed, asked)...)
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
	h.Set("Access-Control-Allow-Headers", "content-type, depth, user-agent, x-http-method-override, x-file-size, "+
		"x-requested-with, if-modified-since, x-file-name, cache-control, x-auth-token, x-kazoo-cluster-id, "+
		"if-match, authorization")
	h.Set("Access-Control-Expose-Headers", "content-type, x-auth-token, x-request-id, x-kazoo-cluster-id, "+
		"location, etag")
	h.Set("Access-Control-Max-Age", "86400")
}

func without(list []string, item string) []string {
	kept := make([]string, 0, len(list))
	for _, each := range list {
		if each != item {
			kept = append(kept, each)
		}
	}
	return kept
}
