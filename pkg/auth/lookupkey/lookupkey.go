// Package lookupkey manages look-up keys: the credentials of SIP proxies that ask where a call belongs. A key may read
// routing clusters and nothing else, does not expire, and is valid until it is removed. A Kazoo does not accept it.
//
// All keys are in one document, as hashes, so that an unknown key costs no read of its own. The package does not know
// what a key may be used for; auth does.
package lookupkey

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// Where the keys are. The database is that of junctor's own state (projection.StateDatabase).
const (
	Database   = "junctor"
	documentID = "lookup_keys"
	docType    = "junctor_lookup_keys"
)

// A key is "lookup.NAME.SECRET". A JSON Web Token never begins so.
const prefix = "lookup."

const secretSize = 32 // bytes

// MaxKeys bounds the number of keys of a store: they are read together.
const MaxKeys = 256

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Key describes a look-up key. The key itself is not stored.
type Key struct {
	Name    string `json:"name"`
	Created int64  `json:"created"` // Gregorian seconds
}

// Store is what the registry needs of a store.
type Store interface {
	account.Reader
	Update(ctx context.Context, db, id string, change func(document.Document) error) (document.Document, error)
}

// Registry is the look-up keys of a store.
type Registry struct {
	store Store
	now   func() time.Time
}

// NewRegistry returns the look-up keys in s.
func NewRegistry(s Store, now func() time.Time) *Registry { return &Registry{s, now} }

// CheckName returns a fault.Invalid if a key can't have that name.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fault.New(fault.Invalid, fmt.Sprintf(
			"%q can't be the name of a key: 1 to 64 of a-z, 0-9, _ and -, the first a letter or digit", name))
	}
	return nil
}

// Create makes a key and returns it; the key itself is not stored. A name that is taken is fault.Conflict.
func (r *Registry) Create(ctx context.Context, name string) (key string, err error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // which never fails
	text := base64.RawURLEncoding.EncodeToString(secret)
	created := document.Number(kazoo.Gregorian(r.now()))
	_, err = r.store.Update(ctx, Database, documentID, func(doc document.Document) error {
		keys, _ := doc["keys"].(map[string]any)
		switch {
		case keys[name] != nil:
			return fault.New(fault.Conflict, fmt.Sprintf("there is a look-up key %q already: remove it first", name))
		case len(keys) >= MaxKeys:
			return fault.New(fault.Conflict, fmt.Sprintf("there are %d look-up keys already: remove some first", MaxKeys))
		}
		if keys == nil {
			keys = map[string]any{}
		}
		keys[name] = map[string]any{"hash": hash(text), "created": created}
		doc["keys"], doc[kazoo.FieldType] = keys, docType
		return nil
	})
	if err != nil {
		return "", err
	}
	return prefix + name + "." + text, nil
}

// List returns the keys by name.
func (r *Registry) List(ctx context.Context) (keys []Key, err error) {
	doc, err := r.store.Get(ctx, Database, documentID)
	if account.Missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	stored, _ := doc["keys"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		entry, _ := stored[name].(map[string]any)
		created, _ := document.Document(entry).Int("created")
		keys = append(keys, Key{Name: name, Created: created})
	}
	return keys, nil
}

// Remove removes a key. One that does not exist is fault.BadIdentifier.
func (r *Registry) Remove(ctx context.Context, name string) error {
	_, err := r.store.Update(ctx, Database, documentID, func(doc document.Document) error {
		keys, _ := doc["keys"].(map[string]any)
		if keys[name] == nil {
			return fault.New(fault.BadIdentifier, fmt.Sprintf("there is no look-up key %q", name))
		}
		delete(keys, name)
		return nil
	})
	return err
}

// Is reports whether a token has the form of a look-up key.
func Is(token string) bool { return strings.HasPrefix(token, prefix) }

// Verify returns the name of a key. One that does not exist is fault.BadIdentifier.
func Verify(ctx context.Context, documents account.Reader, key string) (name string, err error) {
	name, secret, _ := strings.Cut(strings.TrimPrefix(key, prefix), ".")
	doc, err := documents.Get(ctx, Database, documentID)
	if err != nil && !account.Missing(err) {
		return "", err
	}
	keys, _ := doc["keys"].(map[string]any)
	entry, _ := keys[name].(map[string]any)
	known := document.Document(entry).String("hash")
	if subtle.ConstantTimeCompare([]byte(known), []byte(hash(secret))) != 1 {
		return "", fault.New(fault.BadIdentifier, "there is no such look-up key")
	}
	return name, nil
}

// hash returns the SHA-256 of a secret. Secrets are random and long, so that no slower hash is needed.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
