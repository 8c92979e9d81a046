package transfer

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// sameDocument reports whether two documents are equal apart from revisions, attachments and what a store adds to a
// document: a CouchDB cluster signs each write.
func sameDocument(a, b document.Document) bool {
	return a.Bool("_deleted") == b.Bool("_deleted") && reflect.DeepEqual(content(a), content(b))
}

func content(doc document.Document) map[string]any {
	fields := make(map[string]any, len(doc))
	for name, value := range doc {
		if !strings.HasPrefix(name, "_") && name != store.FieldWriter {
			fields[name] = normal(value)
		}
	}
	return fields
}

// normal returns a value whose numbers have one spelling. A CouchDB spells 1.50 and 1e3 as 1.5 and 1000.0, and leaves
// integers as they are, however long.
func normal(value any) any {
	switch value := value.(type) {
	case map[string]any:
		fields := make(map[string]any, len(value))
		for name, member := range value {
			fields[name] = normal(member)
		}
		return fields
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = normal(element)
		}
		return list
	case json.Number:
		const exact = 1 << 53 // beyond this a float64 does not have all integers
		if number, err := strconv.ParseFloat(value.String(), 64); err == nil &&
			(max(number, -number) < exact || strings.ContainsAny(value.String(), ".eE")) {
			return number
		}
	}
	return value
}
