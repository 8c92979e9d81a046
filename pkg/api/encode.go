package api

import (
	"encoding/json"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
)

// encodeAddress returns the JSON of an address. Like encodeItems it does without reflection, since these are what is
// read most often.
func encodeAddress(a dedicatedip.Address) json.RawMessage {
	text := document.AppendString(append(make([]byte, 0, 256), `{"id":`...), a.ID)
	text = document.AppendString(append(text, `,"ip":`...), a.IP)
	text = document.AppendMember(text, "zone", a.Zone)
	text = document.AppendMember(text, "host", a.Host)
	text = document.AppendMember(text, "status", a.Status)
	text = document.AppendMember(text, "type", a.Type)
	text = document.AppendMember(text, "assigned_to", a.AssignedTo)
	return append(text, '}')
}

// encodeItems takes no more memory than the text, which may be long.
func encodeItems(items []dedicatedip.Item) json.RawMessage {
	size := 2
	for _, item := range items {
		size += len(`{"assigned_to":"","ip":"","zone":""},`) + len(item.AssignedTo) + len(item.IP) + len(item.Zone)
	}
	text := append(make([]byte, 0, size), '[')
	for i, item := range items {
		if i > 0 {
			text = append(text, ',')
		}
		text = document.AppendString(append(text, `{"ip":`...), item.IP)
		text = document.AppendMember(text, "zone", item.Zone)
		text = append(document.AppendMember(text, "assigned_to", item.AssignedTo), '}')
	}
	return append(text, ']')
}
