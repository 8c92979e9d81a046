package embedded

import (
	"encoding/json"
	"iter"
	"strings"
)

// What is read here is JSON text that is known to be valid and compact: something has checked it before. That is
// why this can be simple, and several times as fast as encoding/json's decoder is a token at a time.

// members lists the members of a JSON object as they are spelled: the name in its quotes, and the value.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for rest := object[1:]; rest[0] != '}'; {
			name, value := rest[:stringEnd(rest)], rest[stringEnd(rest)+1:]
			end := valueEnd(value)
			if !yield(name, value[:end]) {
				return
			}
			if rest = value[end:]; rest[0] == ',' {
				rest = rest[1:]
			}
		}
	}
}

// valueEnd tells where a value in an array or object ends.
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

// stringEnd tells where the string that a text begins with ends.
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

// plainString reads a JSON string that is spelled as what it says.
func plainString(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || !isPlain(raw[1:len(raw)-1]) {
		return "", false
	}
	return string(raw[1 : len(raw)-1]), true
}

// isPlain reports whether a string stands in JSON as it is.
func isPlain[T ~string | ~[]byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
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
