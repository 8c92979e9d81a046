package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"junctor/pkg/account"
	"junctor/pkg/document"
)

// Where Kazoo keeps signing keys: a document a key, its id the "kid" of tokens, the key in an attachment.
const (
	keysDB        = "system_auth"
	keyAttachment = "private_key.pem"
	keyMediaType  = "application/x-pem-file"
)

// keyBits is what Kazoo makes.
const keyBits = 2048

// NewKeyDocument makes a signing key and answers the document that keeps it under id.
func NewKeyDocument(id string) (document.Document, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return document.Document{
		"_id":      id,
		"pvt_type": "system_key",
		"_attachments": map[string]any{keyAttachment: map[string]any{
			"content_type": keyMediaType,
			"data":         base64.StdEncoding.EncodeToString(pem.EncodeToMemory(block)),
		}},
	}, nil
}

// keyring answers signing keys by id. It decodes a key once for each revision of its document, and holds no more
// keys than there are documents.
type keyring struct {
	store Store

	mu   sync.Mutex
	keys map[string]revisedKey
}

type revisedKey struct {
	rev string
	key *rsa.PrivateKey
}

func newKeyring(s Store) *keyring { return &keyring{store: s, keys: map[string]revisedKey{}} }

// errKey is why a token is refused that no good key can have signed.
var errKey = errors.New("key")

// public answers the key that verifies tokens of that kid. Unlike Kazoo it makes none where there is none.
func (k *keyring) public(ctx context.Context, documents account.Reader, kid string) (*rsa.PublicKey, error) {
	key, err := k.private(ctx, documents, kid)
	if err != nil {
		return nil, err
	}
	return &key.PublicKey, nil
}

// validKeyID is what Kazoo makes. Anything else could be the path to a document of another sort.
var validKeyID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (k *keyring) private(ctx context.Context, documents account.Reader, kid string) (*rsa.PrivateKey, error) {
	if !validKeyID.MatchString(kid) {
		return nil, refuse(fmt.Errorf("%w: no id of one", errKey))
	}
	doc, err := documents.Get(ctx, keysDB, kid)
	if err != nil {
		return nil, missingKey(kid, err)
	}
	if doc.Bool("pvt_deleted") {
		return nil, refuse(fmt.Errorf("%w %s: deleted", errKey, kid))
	}
	if key, ok := k.known(kid, doc.Rev()); ok {
		return key, nil
	}
	text, err := k.store.Attachment(ctx, keysDB, kid, keyAttachment)
	if err != nil {
		return nil, missingKey(kid, err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, refuse(fmt.Errorf("%w %s: %w", errKey, kid, err))
	}
	k.learn(kid, doc.Rev(), key)
	return key, nil
}

func missingKey(kid string, err error) error {
	if account.Missing(err) {
		return refuse(fmt.Errorf("%w %s: %w", errKey, kid, err))
	}
	return err
}

func (k *keyring) known(kid, rev string) (*rsa.PrivateKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.keys[kid]
	return known.key, ok && known.rev == rev
}

func (k *keyring) learn(kid, rev string, key *rsa.PrivateKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[kid] = revisedKey{rev: rev, key: key}
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
