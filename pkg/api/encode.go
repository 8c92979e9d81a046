package api

import (
	"strconv"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
)

// encode returns data as JSON.
func encode(data any) ([]byte, error) {
	switch v := data.(type) {
	case dedicatedip.Address:
		return encodeAddress(v), nil
	case []dedicatedip.Item:
		return encodeItems(v), nil
	}
	return document.Encode(data)
}

// encodeAddress is document.Encode of an address, which is asked for most often and is another one each time.
func encodeAddress(a dedicatedip.Address) []byte {
	text := append(make([]byte, 0, 256), '{')
	text = appendText(appendKey(text, "id"), a.ID)
	text = appendText(appendKey(text, "ip"), a.IP)
	text = appendMember(text, "zone", a.Zone)
	text = appendMember(text, "host", a.Host)
	text = appendMember(text, "status", a.Status)
	text = appendMember(text, "type", a.Type)
	text = appendMember(text, "assigned_to", a.AssignedTo)
	return append(text, '}')
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
		text = appendText(appendKey(append(text, '{'), "ip"), item.IP)
		text = appendMember(text, "zone", item.Zone)
		text = append(appendMember(text, "assigned_to", item.AssignedTo), '}')
	}
	return append(text, ']')
}

// appendTo appends the envelope around the data it has, without reading that again.
func (e *envelope) appendTo(text []byte) ([]byte, error) {
	return e.appendTail(append(e.appendHead(text), e.Data...))
}

// appendHead appends what comes before data.
func (e *envelope) appendHead(text []byte) []byte {
	text = append(text, '{')
	if e.PageSize != nil {
		text = strconv.AppendInt(appendKey(text, "page_size"), int64(*e.PageSize), 10)
	}
	text = appendMember(text, "next_start_key", e.NextStartKey)
	text = appendMember(text, "auth_token", e.AuthToken)
	return appendKey(text, "data")
}

// appendTail appends what comes behind data.
func (e *envelope) appendTail(text []byte) ([]byte, error) {
	text = appendMember(text, "error", e.Error)
	text = appendMember(text, "message", e.Message)
	if e.Metadata != nil {
		metadata, err := document.Encode(e.Metadata)
		if err != nil {
			return nil, err
		}
		text = append(appendKey(text, "metadata"), metadata...)
	}
	text = appendMember(text, "node", e.Node)
	text = appendMember(text, "request_id", e.RequestID)
	text = appendMember(text, "revision", e.Revision)
	text = appendMember(text, "status", e.Status)
	text = appendMember(text, "timestamp", e.Timestamp)
	text = appendMember(text, "version", e.Version)
	return append(text, '}'), nil
}

func appendKey(text []byte, key string) []byte {
	if text[len(text)-1] != '{' {
		text = append(text, ',')
	}
	return append(append(append(text, '"'), key...), `":`...)
}

// appendMember appends a text under its key, unless it is empty.
func appendMember(text []byte, key, value string) []byte {
	if value == "" {
		return text
	}
	return appendText(appendKey(text, key), value)
}

// appendText appends a JSON string.
func appendText(text []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, _ := document.Encode(value) // there is no text that can't be encoded
			return append(text, encoded...)
		}
	}
	return append(append(append(text, '"'), value...), '"')
}
