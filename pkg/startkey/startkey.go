// Package startkey makes the start keys of listings: texts that clients return for the next page, and that mean nothing
// to them. Whoever makes a listing says what a position in it is, and checks those that a client may have made up.
package startkey

import (
	"encoding/base64"
	"encoding/json"

	"junctor/pkg/fault"
)

// Encode returns the start key of a position, a value that can be encoded as JSON. It needs no escaping in a URL.
func Encode(position any) string {
	text, _ := json.Marshal(position)
	return base64.RawURLEncoding.EncodeToString(text)
}

// Decode decodes a start key into what position points to. A text that is none, or of another listing, is Invalid.
func Decode(key string, position any) error {
	text, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || json.Unmarshal(text, position) != nil {
		return Invalid(key)
	}
	return nil
}

// Invalid returns the fault.Invalid of a start key that no page of the listing had.
func Invalid(key string) error {
	return fault.Finding("start_key", "invalid", "The start key is not from a page of this listing",
		map[string]any{"value": key})
}
