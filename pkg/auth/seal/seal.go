// Package seal encrypts junctor's own secrets in the store, and so in every replica and export of it.
//
// A sealed text is bound to what it is about, an id for example, so that it can't be moved into another document,
// and begins with the version of the method, so that another can follow. Kazoo's own secrets are not sealed: Kazoo
// could not read them. The package knows neither the store nor what the secrets are for, and reads no environment.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// keySize selects AES-256.
const keySize = 32

// version is how a text begins that is sealed with AES-256-GCM: base64 of the nonce, the ciphertext and the tag.
const version = "v1:"

// Key seals and opens. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// Parse reads a key as it is written down: 32 bytes in base64. Its errors do not show the text.
func Parse(text string) (*Key, error) {
	secret, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil || len(secret) != keySize {
		return nil, fmt.Errorf("not a key: a key is %d bytes in base64", keySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Key{aead}, nil
}

// generate returns a new key as Parse reads it.
func generate() string {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	return base64.StdEncoding.EncodeToString(secret)
}

// Seal encrypts secret and binds it to about: Open needs the same key and the same about.
func (k *Key) Seal(secret, about string) string {
	sealed := k.aead.Seal(nil, nil, []byte(secret), []byte(about))
	return version + base64.StdEncoding.EncodeToString(sealed)
}

// Open returns the secret that was sealed. For a text that was altered, sealed with another key or bound to another about
// it returns an error that does not say which.
func (k *Key) Open(sealed, about string) (string, error) {
	text, ok := strings.CutPrefix(sealed, version)
	if !ok {
		return "", errors.New("sealed by an unknown method")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", errors.New("a sealed secret is not base64")
	}
	secret, err := k.aead.Open(nil, nil, raw, []byte(about))
	if err != nil {
		return "", errors.New("a sealed secret does not open: another key, or it was altered")
	}
	return string(secret), nil
}
