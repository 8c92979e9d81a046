package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Where Kazoo keeps signing keys: a document a key, its id the "kid" of tokens, the key in an attachment.
const (
	keyAttachment = "private_key.pem"
	keyMediaType  = "application/x-pem-file"
)

// keyBits is what Kazoo makes.
const keyBits = 2048

// NewKeyDocument generates a signing key and returns its document, with that id.
func NewKeyDocument(id string) (document.Document, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return document.Document{
		"_id":           id,
		kazoo.FieldType: "system_key",
		"_attachments": map[string]any{keyAttachment: map[string]any{
			"content_type": keyMediaType,
			"data":         base64.StdEncoding.EncodeToString(pem.EncodeToMemory(block)),
		}},
	}, nil
}

// keyring returns signing keys by id. It caches decoded keys by the revision of their document.
type keyring struct {
	store attachments
	keys  *lru.Cache[string, revisedKey]
}

// maxKeys bounds the cache of decoded keys. A cluster signs with one at a time.
const maxKeys = 64

type revisedKey struct {
	rev string
	key *rsa.PrivateKey
}

// attachments reads attachments.
type attachments interface {
	Attachment(ctx context.Context, db, id, name string) ([]byte, error)
}

func newKeyring(s attachments) *keyring {
	keys, _ := lru.New[string, revisedKey](maxKeys) // fails for sizes below 1 only
	return &keyring{store: s, keys: keys}
}

// KeyReader is what CheckKey needs of a store.
type KeyReader interface {
	account.Reader
	attachments
}

// CheckKey returns nil if tokens can be signed and verified with the key of that id, and otherwise the reason.
func CheckKey(ctx context.Context, s KeyReader, id string) error {
	_, err := newKeyring(s).private(ctx, s, id)
	return err
}

// errKey is in the refusal of a token that no valid key can have signed.
var errKey = errors.New("key")

// private returns a signing key. Unlike Kazoo it creates none.
func (k *keyring) private(ctx context.Context, documents account.Reader, kid string) (*rsa.PrivateKey, error) {
	if !kazoo.IsID(kid) { // it could be the path to a document of another sort
		return nil, refuse("%w: kid is not the id of a key", errKey)
	}
	doc, err := documents.Get(ctx, kazoo.SystemAuth, kid)
	if err != nil {
		return nil, missingKey(kid, err)
	}
	if doc.Bool(kazoo.FieldDeleted) {
		return nil, refuse("%w %s: deleted", errKey, kid)
	}
	if known, ok := k.keys.Get(kid); ok && known.rev == doc.Rev() {
		return known.key, nil
	}
	text, err := k.store.Attachment(ctx, kazoo.SystemAuth, kid, keyAttachment)
	if err != nil {
		return nil, missingKey(kid, err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, refuse("%w %s: %w", errKey, kid, err)
	}
	k.keys.Add(kid, revisedKey{rev: doc.Rev(), key: key})
	return key, nil
}

func missingKey(kid string, err error) error {
	if account.Missing(err) {
		return refuse("%w %s: does not exist: %w", errKey, kid, err)
	}
	return err
}

// decodeKey reads a PEM file as Kazoo writes it (PKCS #1), or as openssl does by default (PKCS #8).
func decodeKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block in it")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("no private key in it")
	}
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, errors.New("not an RSA key")
}
