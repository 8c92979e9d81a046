package pooldb

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"junctor/pkg/fault"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// AvailableIn returns a query of a zone's rows of our view "available". The view's keys are the zone, the same
// percent-encoded, and the hex of the document's id.
func AvailableIn(zone string) store.Query {
	exact := poolindex.EncodeName(zone)
	return store.Query{StartKey: []any{zone, exact}, EndKey: []any{zone, exact, map[string]any{}}}
}

// AvailableKey returns the key of our view "available" for a spot. An empty zone is that of documents without one.
func AvailableKey(s poolindex.Spot) []any {
	id := hex.EncodeToString([]byte(s.ID))
	if s.Zone == "" {
		return []any{nil, nil, id}
	}
	return []any{s.Zone, poolindex.EncodeName(s.Zone), id}
}

// AvailableSpot reads the key of a Position.
func AvailableSpot(key []any) poolindex.Spot {
	zone, _ := key[0].(string) // null if the document has none
	text, _ := key[2].(string)
	id, _ := hex.DecodeString(text) // as isIn has checked
	return poolindex.Spot{Zone: zone, ID: string(id)}
}

// MaxRows is a limit that no pool reaches, and that can be added to.
const MaxRows = 1 << 30

// Position is where a page of available addresses begins.
type Position struct {
	Key  []any `json:"key"`            // of a row of our view "available"
	Left int   `json:"left,omitempty"` // how many addresses of a limit remain; 0 means no limit
}

// String returns the position as clients return it: the start key of the next page.
func (at Position) String() string {
	text, _ := json.Marshal(at) // what came out of JSON goes into it
	return base64.RawURLEncoding.EncodeToString(text)
}

// ParsePosition parses the start key of a page of a listing, which is of one zone or, if zone is empty, of all. A start
// key that this listing can't have returned is fault.Invalid.
func ParsePosition(startKey, zone string) (Position, error) {
	var at Position
	text, err := base64.RawURLEncoding.DecodeString(startKey)
	if err != nil || json.Unmarshal(text, &at) != nil || !at.isIn(zone) {
		return Position{}, fault.Finding("start_key", "invalid", "The start key is not from a page of this listing",
			map[string]any{"value": startKey})
	}
	return at, nil
}

// isIn reports whether a page of a zone's listing can begin at a position.
func (at Position) isIn(zone string) bool {
	if len(at.Key) != 3 {
		return false
	}
	id, isText := at.Key[2].(string)
	_, err := hex.DecodeString(id)
	var exact any // nil for documents without a zone
	if zone, ok := at.Key[0].(string); ok {
		exact = poolindex.EncodeName(zone)
	}
	inZone := at.Key[1] == exact && (zone == "" || at.Key[0] == zone)
	return isText && err == nil && inZone && 0 <= at.Left && at.Left <= MaxRows
}
