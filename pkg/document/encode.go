package document

import (
	"bytes"
	"crypto/md5" //nolint:gosec // a tag for content, as Crossbar's; it protects nothing
	"encoding/hex"
	"encoding/json"
)

// Encode returns v as compact JSON with sorted keys, so that equal values have equal texts. Unlike json.Marshal
// it leaves <, > and & as they are: the result is data, not part of a page. A json.RawMessage is returned as it is.
func Encode(v any) ([]byte, error) {
	if text, ok := v.(json.RawMessage); ok {
		return text, nil
	}
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
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, _ := Encode(value) // every string can be encoded
			return append(text, encoded...)
		}
	}
	return append(append(append(text, '"'), value...), '"')
}
