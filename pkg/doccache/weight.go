package doccache

import (
	"encoding/json"
	"math"
)

// The approximate memory of an entry, and of a member of a document besides its name and value, in bytes.
const (
	entryBytes  = 256
	memberBytes = 64
)

// weight returns the approximate memory of an entry in bytes.
func weight(k key, e entry) uint32 {
	bytes := entryBytes + len(k.db) + len(k.id) + weightOf(map[string]any(e.doc))
	return uint32(min(bytes, math.MaxUint32))
}

func weightOf(value any) int {
	bytes := 16
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			bytes += memberBytes + len(name) + weightOf(member)
		}
	case []any:
		for _, item := range v {
			bytes += 16 + weightOf(item)
		}
	case string:
		bytes += len(v)
	case json.Number:
		bytes += len(v)
	}
	return bytes
}
