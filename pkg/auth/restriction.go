package auth

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// Access is what a request wants to do, as restrictions of tokens have it.
type Access struct {
	Path    []string         // decoded, without the version
	Verb    string           // upper case
	Account *account.Account // the one in the path; nil is none
}

// endpoint returns the last noun of the path, as "ips", which restrictions are about, and what comes after it.
func (a Access) endpoint() (noun string, parameters []string) {
	path := a.Path
	if path[0] == "accounts" && len(path) > 2 {
		path = path[2:]
	}
	return path[0], path[1:]
}

// CheckRestrictions refuses what the restrictions on an identity's tokens don't allow: those of its account, else
// those of the system (cb_token_restrictions). If a token acts as another user, the restrictions of who logged in
// count as well. Superduper accounts have none. Identities of other clusters have been asked theirs there.
func (a *Authenticator) CheckRestrictions(ctx context.Context, i *Identity, wanted Access) error {
	if i.Remote {
		return nil
	}
	if i.LookupKey != "" {
		return checkLookup(i, wanted)
	}
	if i.By != nil {
		if err := a.CheckRestrictions(ctx, i.By, wanted); err != nil {
			return err
		}
	}
	if i.Superduper {
		return nil
	}
	found, _, err := a.policyOf(ctx, i, i.Method)
	if err == nil && found != nil {
		err = a.checkLevels(ctx, i, found, wanted)
	}
	login := i.login()
	if err != nil || i.Method == login {
		return err
	}
	// Restrictions on logins of the user or the API key hold however the token was made: by a refresh, or with Basic.
	found, named, err := a.policyOf(ctx, i, login)
	if err != nil || !named {
		return err
	}
	return a.checkLevels(ctx, i, found, wanted)
}

// login returns the method by which an identity logs in.
func (i *Identity) login() string {
	if i.OwnerID == "" {
		return byAPIKey
	}
	return byUser
}

func (a *Authenticator) checkLevels(ctx context.Context, i *Identity, found levels, wanted Access) error {
	level, err := a.privilege(ctx, i)
	if err != nil {
		return err
	}
	endpoints, ok := found[level]
	if !ok {
		if endpoints, ok = found[anything]; !ok {
			return nil
		}
	}
	if !endpoints.allow(wanted, i) {
		return denied(level, wanted)
	}
	return nil
}

// denied is a refusal in Crossbar's words.
func denied(level string, wanted Access) error {
	const cause = "access denied by token restrictions"
	return &fault.Error{
		Kind: fault.Forbidden,
		Data: map[string]any{"cause": cause, "message": "forbidden"},
		Err:  fmt.Errorf("%s: level %s, %s %q", cause, level, wanted.Verb, wanted.Path),
	}
}

// The documents of restrictions.
const (
	restrictionsID = "token_restrictions"          // in the database of an account
	systemPolicies = "crossbar.token_restrictions" // in system_config
)

// policyOf returns the restrictions on an identity's tokens of a method, nil for none. An account that says anything
// about the method is not subject to the system's defaults. named reports whether the method is restricted by its
// name, and not as one of all.
func (a *Authenticator) policyOf(ctx context.Context, i *Identity, method string) (found levels, named bool, err error) {
	db, err := account.Database(i.AccountID)
	if account.Missing(err) {
		return nil, false, nil // an account that can't be has no rights to restrict
	}
	own, err := a.policies.of(ctx, a.documents, location{db, restrictionsID}, "restrictions")
	if err != nil {
		return nil, false, err
	}
	if found, named := own.of(method); found != nil {
		return found, named, nil
	}
	system, err := a.policies.of(ctx, a.documents, location{kazoo.SystemConfig, systemPolicies}, a.node.Sections()...)
	found, named = system.of(method)
	return found, named, err
}

// privilege returns the level of an identity in restrictions: its user's, or a setting where there is no user, as with an
// API key (crossbar_util get_priv_level).
func (a *Authenticator) privilege(ctx context.Context, i *Identity) (string, error) {
	if i.OwnerID != "" {
		user, err := member(ctx, a.documents, i.AccountID, i.OwnerID)
		switch {
		case err == nil && !user.Bool(kazoo.FieldDeleted):
			return cmp.Or(user.String("priv_level"), "user"), nil
		case err != nil && !fault.Is(err, fault.Unauthenticated):
			return "", err
		}
	}
	level, err := a.config(a.documents).Text(ctx, systemPolicies, "default_priv_level")
	return cmp.Or(level, "admin"), err
}

// allow reports whether endpoints let a request pass: the first entry for its account decides, and in it the first
// rule for its parameters. What no rule is about is denied.
func (e endpoints) allow(wanted Access, i *Identity) bool {
	noun, parameters := wanted.endpoint()
	entries, ok := e[noun]
	if !ok {
		entries = e[anything]
	}
	names := accountNames(wanted.Account, i)
	for _, entry := range entries {
		if entry.concerns(names) {
			return entry.Rules.allow(wanted.Verb, parameters)
		}
	}
	return false
}

// accountNames returns the names that restrictions may use for the account of a request.
func accountNames(target *account.Account, i *Identity) []string {
	switch {
	case target == nil:
		return []string{anything}
	case target.ID == i.AccountID:
		return []string{anything, target.ID, "{AUTH_ACCOUNT_ID}"}
	case slices.Contains(target.Tree, i.AccountID):
		return []string{anything, target.ID, "{DESCENDANT_ACCOUNT_ID}"}
	}
	return []string{anything, target.ID}
}

func (e entry) concerns(names []string) bool {
	if e.Accounts == nil || len(e.Accounts) == 1 && e.Accounts[0] == anything {
		return true
	}
	return slices.ContainsFunc(e.Accounts, func(name string) bool { return slices.Contains(names, name) })
}

func (r rules) allow(verb string, parameters []string) bool {
	for _, rule := range r {
		if matches(rule.pattern, parameters) {
			return slices.Contains(rule.verbs, verb) || slices.Contains(rule.verbs, anything)
		}
	}
	return false
}

// matches reports whether a pattern fits parameters: "*" is any one of them, "#" any number (kazoo_bindings).
func matches(pattern, parameters []string) bool {
	switch {
	case len(pattern) == 0:
		return len(parameters) == 0
	case pattern[0] == "#":
		return matches(pattern[1:], parameters) || len(parameters) > 0 && matches(pattern, parameters[1:])
	case len(parameters) == 0 || pattern[0] != "*" && pattern[0] != parameters[0]:
		return false
	}
	return matches(pattern[1:], parameters[1:])
}
