package document

import (
	"bytes"
	"crypto/md5" //nolint:gosec // a tag for content, as Crossbar's; it protects nothing
	"encoding/hex"
	"encoding/json"
	"sync"
)

// Encode answers v as compact JSON with sorted keys, so that equal values have equal texts. Unlike json.Marshal
// it leaves <, > and & as they are: the answers are data, not part of a page.
func Encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// MD5 answers what Crossbar tags a text with that has no revision of its own, in hex.
func MD5(text []byte) string {
	sum := md5.Sum(text) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// Encoded is a value together with its JSON, which is made once, when it is first asked for. The value is shared and
// not to be altered.
type Encoded[T any] struct {
	Value T
	json  func() ([]byte, error)
	md5   func() string
}

// NewEncoded answers a value that can be encoded by any number of callers.
func NewEncoded[T any](value T) *Encoded[T] {
	e := &Encoded[T]{Value: value, json: sync.OnceValues(func() ([]byte, error) { return Encode(value) })}
	e.md5 = sync.OnceValue(func() string {
		text, _ := e.json()
		return MD5(text)
	})
	return e
}

// JSON answers the text that Encode makes of the value. It is not to be altered.
func (e *Encoded[T]) JSON() ([]byte, error) { return e.json() }

// MD5 is that of JSON, where that is no error.
func (e *Encoded[T]) MD5() string { return e.md5() }

// MarshalJSON is JSON, for an Encoded that is a part of something.
func (e *Encoded[T]) MarshalJSON() ([]byte, error) { return e.json() }
