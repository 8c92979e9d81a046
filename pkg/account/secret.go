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

// hasSecret are the types of documents that tokens can be about. No others are given a secret.
var hasSecret = map[string]bool{"account": true, "user": true, "device": true}

// EnsureSecret returns the secret that tokens of an account, or of a user or device of it, are bound to, and makes one
// where it has none yet, as Kazoo does at the first login (kz_auth_identity update_kazoo_secret). The document, and the
// copy of an account's, are otherwise left as they are: Kazoo does not touch pvt_modified either. An id that does not
// exist, or is deleted, is fault.BadIdentifier.
func (d *Directory) EnsureSecret(ctx context.Context, accountID, id string) (string, error) {
	db, err := Database(accountID)
	if err != nil {
		return "", err
	}
	made := false
	doc, err := d.store.Update(ctx, db, id, func(doc document.Document) error {
		made = false
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
		made = true
		return nil
	})
	secret := doc.String("pvt_signature_secret")
	if err != nil || !made || id != accountID {
		return secret, err
	}
	_, err = d.store.Update(ctx, kazoo.Accounts, id, func(doc document.Document) error {
		if doc.Rev() == "" {
			return store.ErrUnchanged
		}
		doc["pvt_signature_secret"] = secret
		return nil
	})
	return secret, err
}

// randomHex returns n random bytes in hex.
func randomHex(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}
