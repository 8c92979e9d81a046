// Package auth decides whose token a request carries, issues tokens, and says what their holders may do.
//
// Tokens are Kazoo's own: JSON Web Tokens signed with an RSA key out of database system_auth, and bound by a
// keyed hash to a secret in the document of their device, user or account, so that a token issued by a Kazoo is valid
// here and the reverse. Every rule is Kazoo's (kz_auth, crossbar_auth, cb_token_auth) unless a comment says otherwise.
//
// The package knows neither HTTP nor CouchDB's wire. A refusal's reason travels in the error's cause, which is
// for the log; tokens, keys and secrets are in no error.
package auth

import (
	"fmt"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/fault"
)

// Kind says how a request handed its token over.
type Kind int

// The kinds of token. XAuthToken and Basic can authenticate; the others never prove anything.
const (
	Unknown    Kind = iota // an Authorization without a known scheme
	XAuthToken             // X-Auth-Token, or auth_token
	Basic                  // Authorization: Basic
	Bearer                 // Authorization: Bearer
)

// Credentials are what a request carries to show who sent it.
type Credentials struct {
	Kind  Kind
	Token string
	// Account is the X-Auth-Account-ID header; empty is none.
	Account string
	// MayReadKey is called if the signing key of a token is not cached, and reports whether it may be read. The key
	// that the cluster signs with is read in any case. Nil allows it.
	MayReadKey func() bool
}

// Identity is who sent a request.
type Identity struct {
	AccountID string
	OwnerID   string // the user; empty where the account itself speaks, by its API key
	// Account is the account's document, nil for a remote identity and a look-up key. It must not be altered.
	Account *account.Account
	Method  string // what issued the token, as "cb_api_auth"
	// Superduper accounts may do everything everywhere.
	Superduper bool
	// Master says that the account is its cluster's master.
	Master bool
	// By is who logged in, if the token lets them act as another user (claim "as"); nil otherwise. It is shared: callers
	// must not change it.
	By *Identity

	// Remote identities were authenticated by another cluster. They may use that cluster's routing only: they have no
	// right on any account here, and are never superduper.
	Remote bool
	// ClusterID is the cluster that the account is of.
	ClusterID string
	// LookupKey is the name of the look-up key that was shown; empty otherwise. Such an identity has no account, and may
	// read routing clusters and nothing else.
	LookupKey string
}

// loggedIn returns the identity that logged in: before "as".
func (i *Identity) loggedIn() *Identity {
	if i.By != nil {
		return i.By
	}
	return i
}

// MaySee reports whether the identity has any rights on an account: that of a superduper account has, that of the
// account itself, and those of its ancestors (cb_simple_authz). A user may do what the account may, except for
// restrictions, see Authenticator.CheckRestrictions.
func (i *Identity) MaySee(target *account.Account) bool {
	if i.Remote || i.LookupKey != "" {
		return false
	}
	return i.Superduper || i.AccountID == target.ID || slices.Contains(target.Tree, i.AccountID)
}

// refuse returns a fault.Unauthenticated with a reason, as fmt.Errorf formats it, for the log.
func refuse(format string, values ...any) error {
	return fault.Wrap(fault.Unauthenticated, fmt.Errorf(format, values...))
}

// refuseMissing refuses a token if what it refers to does not exist. It returns any other error of the store as it is.
func refuseMissing(what string, err error) error {
	if account.Missing(err) {
		return refuse("%s: %w", what, err)
	}
	return err
}
