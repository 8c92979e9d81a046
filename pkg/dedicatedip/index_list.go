package dedicatedip

import (
	"encoding/hex"
	"maps"
)

// Listings collect entries under the lock and read them after it.

// address returns what the API shows of an entry.
func (e *entry) address() Address {
	return Address{
		ID: e.id, IP: e.id, Zone: e.zone.Value(), Host: e.host.Value(), Status: e.status.Value(), Type: documentType,
		AssignedTo: e.holder.Value(), Revision: e.rev,
	}
}

func itemsOf(entries []*entry) []Item {
	items := make([]Item, len(entries))
	for i, e := range entries {
		items[i] = Item{IP: e.id, Zone: e.zone.Value()}
	}
	return items
}

// assignedTo lists what an account holds, by address.
func (x *index) assignedTo(accountID string) []Item {
	x.mu.RLock()
	var entries []*entry
	if held := x.accounts[accountID]; held != nil {
		entries = held.Items()
	}
	x.mu.RUnlock()
	return itemsOf(entries)
}

// allAssigned lists what any account holds, by address.
func (x *index) allAssigned() []Item {
	x.mu.RLock()
	entries := x.assigned.Items()
	x.mu.RUnlock()
	items := itemsOf(entries)
	for i, e := range entries {
		items[i].AssignedTo = e.holder.Value()
	}
	return items
}

// zoneNames lists the zones.
func (x *index) zoneNames() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.zones.texts()
}

// hostNames lists the hosts.
func (x *index) hostNames() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.hosts.texts()
}

// spot is a place in the listing of available addresses.
type spot struct{ zone, id string }

// key is the key of our view "available" for it.
func (s spot) key() []any {
	return []any{s.zone, percentEncode(s.zone), hex.EncodeToString([]byte(s.id))}
}

// spotOf reads a key of our view. ok is false for those of irregular documents.
func spotOf(key []any) (s spot, ok bool) {
	zone, isText := key[0].(string)
	text, isHex := key[2].(string)
	id, err := hex.DecodeString(text)
	return spot{zone, string(id)}, isText && isHex && err == nil
}

// free lists available addresses by zone and id: of one zone or, if zone is empty, of all; from a spot on, which may be
// nil; and at most want, if that is not 0. next is where the listing continues, nil at its end.
func (x *index) free(zone string, from *spot, want int) (items []Item, next *spot) {
	var entries []*entry
	x.mu.RLock()
	x.zonesFrom(zone, from, func(n *name) bool {
		start := &entry{} // before all others
		if from != nil && from.zone == n.text {
			start.id = from.id
		}
		n.available.Ascend(start, func(e *entry) bool {
			if want > 0 && len(entries) == want {
				next = &spot{n.text, e.id}
				return false
			}
			entries = append(entries, e)
			return true
		})
		return next == nil
	})
	x.mu.RUnlock()
	return itemsOf(entries), next
}

// zonesFrom visits one zone or, if zone is empty, all: in order, from that of a spot on, which may be nil.
func (x *index) zonesFrom(zone string, from *spot, visit func(*name) (more bool)) {
	switch {
	case zone != "":
		if n := x.zones.byText[zone]; n != nil {
			visit(n)
		}
	case from != nil:
		x.zones.from(from.zone, visit)
	default:
		x.zones.ordered.Scan(visit)
	}
}

// lots returns what can be drawn, of one zone or, if zone is empty, of all.
func (x *index) lots(zone string) (lots []lot) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.zonesFrom(zone, nil, func(n *name) bool {
		if length := n.available.Len(); length > 0 {
			lots = append(lots, lot{n.text, length, func(at int) string { return x.freeAt(n, at) }})
		}
		return true
	})
	return lots
}

// freeAt returns the available address at a place in a zone, empty if there are fewer.
func (x *index) freeAt(zone *name, at int) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e, ok := zone.available.GetAt(at); ok {
		return e.id
	}
	return ""
}

// freeCount returns how many addresses are available in one zone or, if zone is empty, in all.
func (x *index) freeCount(zone string) (count int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.zonesFrom(zone, nil, func(n *name) bool {
		count += n.available.Len()
		return true
	})
	return count
}

// sizes returns how many entries there are, by zone and status.
func (x *index) sizes() map[[2]string]int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return maps.Clone(x.counts)
}
