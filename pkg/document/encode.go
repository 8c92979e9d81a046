package document

import (
	"bytes"
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

// Encoded is a value together with its JSON, which is made once, when it is first asked for. The value is shared and
// not to be altered.
type Encoded[T any] struct {
	Value T
	json  func() ([]byte, error)
}

// NewEncoded answers a value that can be encoded by any number of callers.
func NewEncoded[T any](value T) *Encoded[T] {
	return &Encoded[T]{Value: value, json: sync.OnceValues(func() ([]byte, error) { return Encode(value) })}
}

// JSON answers the text that Encode makes of the value. It is not to be altered.
func (e *Encoded[T]) JSON() ([]byte, error) { return e.json() }

// MarshalJSON is JSON, for an Encoded that is a part of something.
func (e *Encoded[T]) MarshalJSON() ([]byte, error) { return e.json() }
