package document

import (
	"bytes"
	"crypto/md5" //nolint:gosec // a tag for content, as Crossbar's; it protects nothing
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Encode returns v as compact JSON with sorted keys, so that equal values have equal texts. Unlike json.Marshal
// it leaves <, > and & as they are: the result is data, not part of a page. A json.RawMessage is returned as it is.
func Encode(v any) ([]byte, error) {
	if text, ok := v.(json.RawMessage); ok {
		return text, nil
	}
	return appendValue(nil, v)
}

// appendValue appends a value as JSON. What documents seldom have is left to encoding/json, which takes maps apart by
// reflection, in more than twice the time.
func appendValue(text []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case Document:
		return appendObject(text, v)
	case map[string]any:
		return appendObject(text, v)
	case []any:
		return appendList(text, v)
	case string:
		return AppendString(text, v), nil
	case bool:
		return strconv.AppendBool(text, v), nil
	case json.Number:
		if v != "" && v[0] != '0' && strings.Trim(string(v), "0123456789") == "" { // most are times
			return append(text, v...), nil
		}
	}
	encoded, err := encode(v)
	return append(text, encoded...), err
}

func appendObject(text []byte, object map[string]any) (_ []byte, err error) {
	if object == nil {
		return append(text, "null"...), nil
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	text = append(text, '{')
	for i, key := range keys {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(AppendString(text, key), ':')
		if text, err = appendValue(text, object[key]); err != nil {
			return nil, err
		}
	}
	return append(text, '}'), nil
}

func appendList(text []byte, list []any) (_ []byte, err error) {
	if list == nil {
		return append(text, "null"...), nil
	}
	text = append(text, '[')
	for i, element := range list {
		if i > 0 {
			text = append(text, ',')
		}
		if text, err = appendValue(text, element); err != nil {
			return nil, err
		}
	}
	return append(text, ']'), nil
}

// encode encodes a value of any type.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// MD5 returns the hash, in hex, that Crossbar uses as the revision of data without one.
func MD5(text []byte) string {
	sum := md5.Sum(text) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// AppendMember appends a comma and a member of an object, nothing if value is empty.
func AppendMember(text []byte, key, value string) []byte {
	if value == "" {
		return text
	}
	return AppendString(append(append(append(text, `,"`...), key...), `":`...), value)
}

// AppendString appends a JSON string.
func AppendString(text []byte, value string) []byte {
	if !IsPlain(value) {
		encoded, _ := encode(value) // every string can be encoded
		return append(text, encoded...)
	}
	return append(append(append(text, '"'), value...), '"')
}

// IsPlain reports whether a text is printable ASCII that stands in a JSON string as it is, without escapes.
func IsPlain[T ~string | ~[]byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
