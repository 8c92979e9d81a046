package auth

import (
	"context"
	"errors"
	"maps"

	"github.com/golang-jwt/jwt/v5"

	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Describe returns what Crossbar responds about the token of a request (cb_token_auth): its claims, after "as", and the
// data of a login to its account. c are the credentials by which i was authenticated. For an account of another cluster
// the document is empty.
func (a *Authenticator) Describe(ctx context.Context, i *Identity, c Credentials) (document.Document, error) {
	if i.Remote {
		return document.Document{}, nil
	}
	data, err := i.claims(c)
	if err != nil {
		return nil, err
	}
	if i.By != nil {
		data["owner_id"] = i.OwnerID
		delete(data, "device_id")
	}
	holder, err := a.directory.Get(ctx, i.AccountID)
	if err != nil {
		return nil, refuseMissing("the token's account", err)
	}
	holderData, err := describe(ctx, a.directory, holder, i.OwnerID)
	maps.Copy(data, holderData)
	return data, err
}

// claims returns the claims of the credentials by which i was authenticated, before "as". They are decoded again for the
// few requests that ask, so that no cache has to hold what a client chose to put in them.
func (i *Identity) claims(c Credentials) (document.Document, error) {
	if c.Kind == XAuthToken {
		return part(c.Token, 1)
	}
	return document.Document{
		"iss": issuer, "account_id": i.AccountID, "owner_id": i.OwnerID, "method": i.Method,
	}, nil
}

// TokenInfo returns what Crossbar responds about any token, to anybody who has it (cb_auth validate_token_info): whose
// it is, before "as". A trial that is over does not matter. The error is of kind fault.Unauthenticated with Kazoo's
// word for the reason if the token is not valid, and of kind fault.NotFound if there is none. Of the credentials only
// Token and MayReadKey count.
func (a *Authenticator) TokenInfo(ctx context.Context, c Credentials) (document.Document, error) {
	if c.Token == "" {
		return nil, &fault.Error{Kind: fault.NotFound, Message: "missing token in request", Data: map[string]any{}}
	}
	verified, err := doccache.Decide(ctx, a.documents, fault.Unauthenticated,
		func(q *doccache.ReadSet) (*cachedIdentity, error) {
			return a.verifyToken(ctx, q, Credentials{Kind: XAuthToken, Token: c.Token, MayReadKey: c.MayReadKey})
		})
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.TokenRejected) {
		err = &fault.Error{Kind: fault.Unauthenticated, Message: reasonOf(err), Data: map[string]any{}, Err: err}
	}
	if err != nil {
		return nil, err
	}
	by := verified.identity.loggedIn()
	return describe(ctx, a.directory, by.Account, by.OwnerID)
}

// reasonOf returns Kazoo's word for why a token is not valid (kz_auth_jwt, kz_auth_identity).
func reasonOf(err error) string {
	switch {
	case fault.Is(err, fault.TokenRejected):
		return "token_expired"
	case errors.Is(err, errKey), errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "invalid_jwt_signature"
	case errors.Is(err, errIdentitySig):
		return "invalid_identity_signature"
	}
	return "invalid_jwt"
}
