package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"junctor/pkg/account"
	"junctor/pkg/doccache"
	"junctor/pkg/kazoo"
)

// errBinding is why a token is refused that a good key signed.
var errBinding = errors.New("identity_sig")

// checkBinding checks identity_sig, which binds a token to a secret in the document of whom it is about: their
// device, their user or their account. A new secret there, or in the server's configuration, ends their tokens.
func (a *Authenticator) checkBinding(ctx context.Context, q *doccache.ReadSet, c *claims) error {
	if c.IdentitySig == nil {
		if a.unbound {
			return nil
		}
		return refuse(fmt.Errorf("%w: none", errBinding))
	}
	secret, err := identitySecret(ctx, q, c)
	if err != nil {
		return err
	}
	server, err := serverSecret(ctx, a.config(q))
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(*c.IdentitySig), []byte(identitySig(c.identity(), secret, server))) {
		return refuse(fmt.Errorf("%w: not that of %s", errBinding, c.identity()))
	}
	return nil
}

// identity answers the id of whom a token is about.
func (c *claims) identity() string {
	switch {
	case c.DeviceID != "":
		return c.DeviceID
	case c.OwnerID != "":
		return c.OwnerID
	}
	return c.AccountID
}

// identitySecret reads the secret of whom a token is about. Where Kazoo makes up one that is missing, the token
// is refused all the same, so nothing is written here.
func identitySecret(ctx context.Context, documents account.Reader, c *claims) (string, error) {
	id := c.identity()
	db, err := account.Database(c.AccountID)
	if err != nil {
		return "", refuseMissing("the token's account", err)
	}
	doc, err := documents.Get(ctx, db, id)
	if err != nil {
		return "", refuseMissing("the identity "+id, err)
	}
	if doc.Bool(kazoo.FieldDeleted) {
		return "", refuse(errors.New("the identity " + id + " is deleted"))
	}
	secret := doc.String("pvt_signature_secret")
	if secret == "" {
		return "", refuse(errors.New("the identity " + id + " has no secret"))
	}
	return secret, nil
}

// serverSecret reads the cluster's part of what tokens are bound to.
func serverSecret(ctx context.Context, config account.Config) (string, error) {
	secret, err := config.Text(ctx, "auth", "secret_for_user_signature")
	if err == nil && secret == "" {
		err = refuse(errors.New("system_config/auth has no secret_for_user_signature"))
	}
	return secret, err
}

// identitySig is kz_auth_identity's: the secrets are taken as the text they are, not as the bytes it spells.
func identitySig(identity, secret, server string) string {
	mac := hmac.New(sha256.New, []byte(secret+server))
	mac.Write([]byte(identity))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
