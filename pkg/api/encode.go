package api

import (
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
)

// encode returns data as JSON. Addresses and listings, which are read most often, are encoded without reflection.
func encode(data any) ([]byte, error) {
	switch v := data.(type) {
	case dedicatedip.Address:
		return encodeAddress(v), nil
	case []dedicatedip.Item:
		return encodeItems(v), nil
	}
	return document.Encode(data)
}

func encodeAddress(a dedicatedip.Address) []byte {
	text := appendString(append(make([]byte, 0, 256), `{"id":`...), a.ID)
	text = appendString(append(text, `,"ip":`...), a.IP)
	text = appendMember(text, "zone", a.Zone)
	text = appendMember(text, "host", a.Host)
	text = appendMember(text, "status", a.Status)
	text = appendMember(text, "type", a.Type)
	text = appendMember(text, "assigned_to", a.AssignedTo)
	return append(text, '}')
}

// encodeItems takes no more memory than the text, which may be long.
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
		text = appendMember(text, "zone", item.Zone)
		text = append(appendMember(text, "assigned_to", item.AssignedTo), '}')
	}
	return append(text, ']')
}

// appendMember appends a comma and a member of an object, nothing if value is empty.
func appendMember(text []byte, key, value string) []byte {
	if value == "" {
		return text
	}
	return appendString(append(append(append(text, `,"`...), key...), `":`...), value)
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
