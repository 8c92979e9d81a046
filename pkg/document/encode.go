package document

import (
	"bytes"
	"encoding/json"
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
