package pooldb

import (
	"encoding/hex"

	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// Available returns a query of our view "available": of one zone or, if zone is empty, of all, from a spot on, which may
// be nil. The view's keys are the zone, the same percent-encoded, and the hex of the document's id.
func Available(zone string, from *poolindex.Spot) store.Query {
	var q store.Query
	if zone != "" {
		exact := poolindex.EncodeName(zone)
		q.StartKey, q.EndKey = []any{zone, exact}, []any{zone, exact, map[string]any{}}
	}
	switch {
	case from == nil:
	case from.Zone == "":
		q.StartKey = []any{nil, nil, hex.EncodeToString([]byte(from.ID))}
	default:
		q.StartKey = []any{from.Zone, poolindex.EncodeName(from.Zone), hex.EncodeToString([]byte(from.ID))}
	}
	return q
}

// AvailableWithoutZone returns a query of the rows of our view "available" whose documents have no zone.
func AvailableWithoutZone() store.Query { return store.Query{EndKey: []any{nil, map[string]any{}}} }
