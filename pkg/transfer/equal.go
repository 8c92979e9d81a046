package transfer

import (
	"encoding/json"
	"strconv"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// sameDocument reports whether two documents are equal apart from revisions, attachments and what a store adds to a
// document: a CouchDB cluster signs each write.
func sameDocument(a, b document.Document) bool {
	return a.Bool("_deleted") == b.Bool("_deleted") && sameObject(content(a), content(b))
}

func content(doc document.Document) map[string]any {
	fields := make(map[string]any, len(doc))
	for name, value := range doc {
		if !strings.HasPrefix(name, "_") && name != store.FieldWriter {
			fields[name] = value
		}
	}
	return fields
}

func sameObject(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		other, ok := b[name]
		if !ok || !sameValue(value, other) {
			return false
		}
	}
	return true
}

// sameValue compares two values of documents.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameObject(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a.String(), b.String())
	}
	return a == b
}

// sameNumber reports whether two spellings are one number. A CouchDB spells 1.50 and 1e3 as 1.5 and 1000.0, and leaves
// integers as they are, however long.
func sameNumber(a, b string) bool {
	if a == b || isInteger(a) && isInteger(b) {
		return a == b
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

func isInteger(number string) bool { return !strings.ContainsAny(number, ".eE") }
