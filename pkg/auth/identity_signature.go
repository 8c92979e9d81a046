package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
	"junctor/pkg/kazoo"
)

// errIdentitySig is in the refusal of a token that a good key signed and whose identity_sig is wrong.
var errIdentitySig = errors.New("identity_sig")

// checkIdentitySig checks identity_sig, which binds a token to a secret in the document of its device, user or account.
// A new secret there, or in the server's configuration, ends these tokens.
func (a *Authenticator) checkIdentitySig(ctx context.Context, q *doccache.ReadSet, c *claims) error {
	if c.IdentitySig == nil {
		return refuse("%w: missing", errIdentitySig)
	}
	secret, err := identitySecret(ctx, q, c.principal)
	if err != nil {
		return err
	}
	server, err := serverSecret(ctx, a.config(q))
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(*c.IdentitySig), []byte(identitySig(c.id(), secret, server))) {
		return refuse("%w: not the signature of %s", errIdentitySig, c.id())
	}
	return nil
}

// identitySecret reads the secret of a principal. Kazoo creates one that is missing and refuses the token all the same;
// here nothing is written.
func identitySecret(ctx context.Context, documents account.Reader, p principal) (string, error) {
	id := p.id()
	doc, err := member(ctx, documents, p.accountID, id)
	if err != nil {
		return "", err
	}
	if doc.Bool(kazoo.FieldDeleted) {
		return "", refuse("the identity %s is deleted", id)
	}
	secret := doc.String("pvt_signature_secret")
	if secret == "" {
		return "", refuse("the identity %s has no secret", id)
	}
	return secret, nil
}

// serverSecret reads the cluster's secret, which is the other part of the key of identity_sig.
func serverSecret(ctx context.Context, config account.Config) (string, error) {
	secret, err := config.Text(ctx, "auth", "secret_for_user_signature")
	if err == nil && secret == "" {
		err = refuse("system_config/auth has no secret_for_user_signature")
	}
	return secret, err
}

// identitySig computes identity_sig as kz_auth_identity does: the secrets are used as text, not as the bytes they spell.
func identitySig(identity, secret, server string) string {
	mac := hmac.New(sha256.New, []byte(secret+server))
	mac.Write([]byte(identity))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
