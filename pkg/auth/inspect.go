package auth

import (
	"context"
	"errors"
	"maps"

	"github.com/golang-jwt/jwt/v5"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Describe answers what Crossbar says of the token of a request (cb_token_auth): its claims, after "as", and what a
// login to its account is told. c are the credentials by which i was authenticated. Of another cluster's account
// there is nothing to tell.
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
	told, err := describe(ctx, a.directory, holder, i.OwnerID)
	maps.Copy(data, told)
	return data, err
}

// claims returns what the credentials by which i was authenticated say, before "as". They are decoded again for the
// few requests that ask, so that no cache has to hold what a client chose to put in them.
func (i *Identity) claims(c Credentials) (document.Document, error) {
	if c.Kind == XAuthToken {
		return part(c.Token, 1)
	}
	return document.Document{
		"iss": issuer, "account_id": i.AccountID, "owner_id": i.OwnerID, "method": i.Method,
	}, nil
}

// TokenInfo answers what Crossbar says of any token, to anybody who has it (cb_auth validate_token_info): whose it
// is, before "as" and whatever became of a trial. A token that is no good is fault.Unauthenticated with Kazoo's
// word for the reason; none is fault.NotFound. Of the credentials only Token and CachedKeysOnly count.
func (a *Authenticator) TokenInfo(ctx context.Context, c Credentials) (document.Document, error) {
	if c.Token == "" {
		return nil, &fault.Error{Kind: fault.NotFound, Message: "missing token in request", Data: map[string]any{}}
	}
	q := a.documents.ReadSet()
	data, err := a.tokenInfo(ctx, q, c)
	if fault.Is(err, fault.Unauthenticated) && q.Reread(ctx) {
		data, err = a.tokenInfo(ctx, a.documents.ReadSet(), c)
	}
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.TokenRejected) {
		err = &fault.Error{Kind: fault.Unauthenticated, Message: reasonOf(err), Data: map[string]any{}, Err: err}
	}
	return data, err
}

func (a *Authenticator) tokenInfo(ctx context.Context, q *doccache.ReadSet, c Credentials) (document.Document, error) {
	claims, err := a.verify(ctx, q, c)
	if err != nil {
		return nil, err
	}
	if err := a.checkBinding(ctx, q, claims); err != nil {
		return nil, err
	}
	if _, err := a.decide(ctx, q, claims); err != nil {
		return nil, err
	}
	holder, err := account.Get(ctx, q, claims.AccountID)
	if err != nil {
		return nil, refuseMissing("the token's account", err)
	}
	return describe(ctx, a.directory, holder, claims.OwnerID)
}

// reasonOf answers Kazoo's word for why a token is no good (kz_auth_jwt, kz_auth_identity).
func reasonOf(err error) string {
	switch {
	case fault.Is(err, fault.TokenRejected):
		return "token_expired"
	case errors.Is(err, errKey), errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "invalid_jwt_signature"
	case errors.Is(err, errBinding):
		return "invalid_identity_signature"
	}
	return "invalid_jwt"
}
