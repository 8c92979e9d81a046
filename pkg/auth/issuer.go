package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Issuer issues tokens. It is safe for concurrent use.
type Issuer struct {
	store     Store
	directory *account.Directory
	keys      *keyring
	now       func() time.Time
}

// NewIssuer returns an Issuer of tokens of the cluster whose documents are in s.
func NewIssuer(s Store, now func() time.Time) *Issuer {
	return &Issuer{store: s, directory: account.NewDirectory(s), keys: newKeyring(s), now: now}
}

// At returns the same Issuer with the settings of a node.
func (i *Issuer) At(n account.Node) *Issuer {
	return &Issuer{store: i.store, directory: i.directory.At(n), keys: i.keys, now: i.now}
}

// Grant is a new token with the data of the response to a login.
type Grant struct {
	Token     string
	AccountID string
	OwnerID   string            // the user; empty where there is none
	Data      document.Document // Crossbar's data in a response to a login
}

// The methods of tokens, which are the modules of Crossbar that issue them.
const (
	byAPIKey  = "cb_api_auth"
	byUser    = "cb_user_auth"
	byRefresh = "cb_auth"
)

// APIKey issues a token for the account that has an API key. The error is of kind fault.BadIdentifier, with the key as
// data as in Crossbar, if no account has it.
func (i *Issuer) APIKey(ctx context.Context, key string) (Grant, error) {
	holder, err := i.directory.ByAPIKey(ctx, key)
	if fault.Is(err, fault.BadIdentifier) {
		return Grant{}, &fault.Error{
			Kind: fault.BadIdentifier, Message: "bad identifier", Data: []string{key},
			Err: errors.New("no account has the API key"),
		}
	}
	if err != nil {
		return Grant{}, err
	}
	if !holder.Enabled {
		return Grant{}, accountDisabled()
	}
	return i.grant(ctx, document.Document{"account_id": holder.ID, "method": byAPIKey}, holder, holder, "")
}

// Account issues a token for an account as APIKey does, for an operator who has the store: it is valid for that long, and
// also issued where logins with an API key are switched off. expires is when it ends.
func (i *Issuer) Account(
	ctx context.Context, holder *account.Account, lifetime time.Duration,
) (token string, expires time.Time, err error) {
	if !holder.Enabled {
		return "", expires, fault.New(fault.Forbidden, "the account "+holder.ID+" is disabled")
	}
	expires = time.Unix(i.now().Add(lifetime).Unix(), 0)
	claims := document.Document{"account_id": holder.ID, "method": byAPIKey, "iss": issuer, "exp": expires.Unix()}
	if err := i.bind(ctx, claims, holder); err != nil {
		return "", expires, err
	}
	token, err = i.sign(ctx, claims)
	return token, expires, err
}

// Refresh issues a token with the claims of an old one, except for when it expires: it is bound to the user who logged
// in, acts as the same user, and has the same method. (Kazoo's has the method cb_auth and is bound to the user that the
// old one acts as.) c are the credentials by which of was authenticated.
func (i *Issuer) Refresh(ctx context.Context, of *Identity, c Credentials) (Grant, error) {
	if of.Remote {
		return Grant{}, fault.Wrap(fault.Forbidden, errors.New("no tokens for accounts of other clusters"))
	}
	if err := i.checkMethod(ctx, byRefresh); err != nil {
		return Grant{}, err
	}
	by := of.loggedIn()
	holder, err := i.holder(ctx, by.AccountID)
	if err != nil {
		return Grant{}, err
	}
	acting, err := i.holder(ctx, of.AccountID)
	if err != nil {
		return Grant{}, err
	}
	claims, err := by.claims(c)
	if err != nil {
		return Grant{}, err
	}
	delete(claims, "exp")
	if as := readAs(claims["as"]); as != (As{}) {
		claims["as"] = as.claim()
	} else {
		delete(claims, "as")
	}
	return i.grant(ctx, claims, holder, acting, of.OwnerID)
}

// holder returns the account of a token.
func (i *Issuer) holder(ctx context.Context, id string) (*account.Account, error) {
	holder, err := i.directory.Get(ctx, id)
	if err != nil {
		return nil, refuseMissing("the token's account", err)
	}
	return holder, nil
}

// grant issues a token about holder and returns its Grant, which is about the account and the user who act.
func (i *Issuer) grant(
	ctx context.Context, claims document.Document, holder, acting *account.Account, owner string,
) (Grant, error) {
	token, err := i.issue(ctx, claims, holder)
	if err != nil {
		return Grant{}, err
	}
	data, err := describe(ctx, i.directory, acting, owner)
	return Grant{Token: token, AccountID: acting.ID, OwnerID: owner, Data: data}, err
}

// describe returns what Crossbar responds about an account and its user (crossbar_util populate_resp).
func describe(ctx context.Context, d *account.Directory, a *account.Account, owner string) (document.Document, error) {
	data, err := d.Describe(ctx, a)
	if err == nil && owner != "" {
		data["owner_id"] = owner
	}
	return data, err
}

// issue completes claims about an account, or a user or device of it, and signs them.
func (i *Issuer) issue(ctx context.Context, claims document.Document, holder *account.Account) (string, error) {
	method := claims.String("method")
	if err := i.checkMethod(ctx, method); err != nil {
		return "", err
	}
	if err := i.bind(ctx, claims, holder); err != nil {
		return "", err
	}
	lifetime, err := i.lifetime(ctx, method)
	if err != nil {
		return "", err
	}
	claims["iss"] = issuer
	if lifetime > 0 {
		claims["exp"] = i.now().Unix() + lifetime
	}
	return i.sign(ctx, claims)
}

// checkMethod refuses logins that are switched off (crossbar_auth is_auth_type_enabled).
func (i *Issuer) checkMethod(ctx context.Context, method string) error {
	off, err := i.directory.Off(ctx, "crossbar.auth", "auth_modules", method, "enabled")
	if err == nil && off {
		err = fault.Wrap(fault.TokenRejected, fmt.Errorf("logins by %s are switched off", method))
	}
	return err
}

// bind adds identity_sig to claims.
func (i *Issuer) bind(ctx context.Context, claims document.Document, holder *account.Account) error {
	identity := principal{holder.ID, claims.String("owner_id"), claims.String("device_id")}.id()
	secret, err := i.directory.EnsureSecret(ctx, holder.ID, identity)
	if err != nil {
		return refuseMissing("the identity "+identity, err)
	}
	server, err := serverSecret(ctx, i.directory.Config)
	claims["identity_sig"] = identitySig(identity, secret, server)
	return err
}

// sign signs claims with the cluster's key.
func (i *Issuer) sign(ctx context.Context, claims document.Document) (string, error) {
	kid, err := i.directory.Text(ctx, "auth", "system_key")
	if err != nil {
		return "", err
	}
	key, err := i.keys.private(ctx, i.store, kid)
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign a token with key %s: %w", kid, err)
	}
	if len(signed) > maxToken {
		return "", fault.Finding("as", "maxLength", "the token would be too long", nil)
	}
	return signed, nil
}

// defaultLifetime is Kazoo's, in seconds.
const defaultLifetime = 3600

// lifetime returns how many seconds a token of that method is valid, by the setting for the method or else the one for
// all methods. 0 is without end (crossbar_auth token_auth_expiry).
func (i *Issuer) lifetime(ctx context.Context, method string) (int64, error) {
	const document, setting = "crossbar.auth", "token_auth_expiry_s"
	seconds, _, err := i.directory.Int(ctx, document, "auth_modules", method, setting)
	if err != nil || seconds > 0 {
		return seconds, err
	}
	seconds, ok, err := i.directory.Int(ctx, document, setting)
	if err != nil || !ok {
		return defaultLifetime, err
	}
	return max(seconds, 0), nil
}
