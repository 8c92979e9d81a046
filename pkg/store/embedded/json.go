package embedded

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"

	"junctor/pkg/document"
)

// decodeJSON preserves the spelling of numbers.
func decodeJSON(raw []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err
}

// What the functions below read is JSON text that is valid and compact: it has been checked before. That is why they can
// be simple, and several times as fast as encoding/json's decoder, which reads a token at a time.

// elements lists the elements of a JSON array as they are spelled.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := array[1:]; rest[0] != ']'; {
			end := valueEnd(rest)
			if !yield(rest[:end]) {
				return
			}
			if rest = rest[end:]; rest[0] == ',' {
				rest = rest[1:]
			}
		}
	}
}

// valueEnd returns where a value in an array or object ends.
func valueEnd[T ~string | ~[]byte](text T) int {
	depth := 0
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
}

// stringEnd returns where the string at the beginning of a text ends.
func stringEnd[T ~string | ~[]byte](text T) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// plainString reads a JSON string without escapes.
func plainString(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || !document.IsPlain(raw[1:len(raw)-1]) {
		return "", false
	}
	return string(raw[1 : len(raw)-1]), true
}

// unquote reads a JSON string.
func unquote(raw string) string {
	if strings.IndexByte(raw, '\\') >= 0 {
		return unescape(raw)
	}
	return raw[1 : len(raw)-1]
}

func unescape(raw string) (s string) {
	_ = json.Unmarshal([]byte(raw), &s) // it is valid
	return s
}
