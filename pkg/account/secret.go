package account

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// EnsureIdentitySecret returns the secret that tokens of the account are bound to, and makes one where the
// account has none yet, as Kazoo does at the first login by API key (kz_auth_identity update_kazoo_secret). The
// document and its copy are otherwise left as they are: Kazoo does not touch pvt_modified either.
func (d *Directory) EnsureIdentitySecret(ctx context.Context, a *Account) (string, error) {
	if a.IdentitySecret != "" {
		return a.IdentitySecret, nil
	}
	secret, err := d.EnsureSecretOf(ctx, a.ID, a.ID)
	if err != nil {
		return "", err
	}
	return secret, d.copySecret(ctx, a.ID, secret)
}

// hasSecret are the types of documents that tokens can be about. No others are given a secret.
var hasSecret = map[string]bool{"account": true, "user": true, "device": true}

// EnsureSecretOf returns the secret that tokens of a user or a device of an account are bound to, and makes one
// where it has none yet. One that does not exist, or is deleted, is fault.BadIdentifier.
func (d *Directory) EnsureSecretOf(ctx context.Context, accountID, id string) (string, error) {
	db, err := Database(accountID)
	if err != nil {
		return "", err
	}
	doc, err := d.store.Update(ctx, db, id, func(doc document.Document) error {
		if doc.Rev() == "" || doc.Bool(kazoo.FieldDeleted) {
			return fault.Unknown(id, nil)
		}
		if doc.String("pvt_signature_secret") != "" {
			return store.ErrUnchanged
		}
		if !hasSecret[doc.String(kazoo.FieldType)] {
			return fault.Unknown(id, nil)
		}
		doc["pvt_signature_secret"] = randomHex(16)
		return nil
	})
	return doc.String("pvt_signature_secret"), err
}

func (d *Directory) copySecret(ctx context.Context, id, secret string) error {
	_, err := d.store.Update(ctx, kazoo.Accounts, id, func(doc document.Document) error {
		if doc.Rev() == "" || doc.String("pvt_signature_secret") == secret {
			return store.ErrUnchanged
		}
		doc["pvt_signature_secret"] = secret
		return nil
	})
	return err
}

// randomHex returns n random bytes in hex.
func randomHex(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}
