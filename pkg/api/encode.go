package api

import (
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
)

// encode returns data as JSON.
func encode(data any) ([]byte, error) {
	if items, ok := data.([]dedicatedip.Item); ok {
		return encodeItems(items), nil
	}
	return document.Encode(data)
}

// encodeItems is document.Encode of a listing, which may be long. It takes no more memory than the text.
func encodeItems(items []dedicatedip.Item) []byte {
	size := 2
	for _, item := range items {
		size += len(`{"assigned_to":"","ip":"","zone":""},`) + len(item.AssignedTo) + len(item.IP) + len(item.Zone)
	}
	text := append(make([]byte, 0, size), '[')
	for i, item := range items {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendString(append(text, `{"ip":`...), item.IP)
		if item.Zone != "" {
			text = appendString(append(text, `,"zone":`...), item.Zone)
		}
		if item.AssignedTo != "" {
			text = appendString(append(text, `,"assigned_to":`...), item.AssignedTo)
		}
		text = append(text, '}')
	}
	return append(text, ']')
}

// appendString appends a JSON string.
func appendString(text []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, _ := document.Encode(value) // every string can be encoded
			return append(text, encoded...)
		}
	}
	return append(append(append(text, '"'), value...), '"')
}
