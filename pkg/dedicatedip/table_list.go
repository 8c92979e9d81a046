package dedicatedip

import (
	"encoding/hex"
	"maps"
)

// address answers what the API shows of an entry.
func (e *entry) address() Address {
	return Address{
		ID: e.id, IP: e.id, Zone: e.zone.text, Host: e.host.text, Status: e.status, Type: documentType,
		AssignedTo: e.holder, Revision: e.rev,
	}
}

func (e *entry) item() Item { return Item{IP: e.id, Zone: e.zone.text} }

// namesOf lists the zones or the hosts, with the version of the list. Nothing is listed that is still as it was.
func (t *table) namesOf(n *names, since uint64) ([]string, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n.version == since {
		return nil, since
	}
	return n.texts(), n.version
}

// assignedVersion tells one list of an account's addresses from another.
func (t *table) assignedVersion(accountID string) uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if held := t.holders[accountID]; held != nil {
		return held.version
	}
	return 0
}

// assignedTo lists what an account holds, by address, with the version of the list.
func (t *table) assignedTo(accountID string) ([]Item, uint64) {
	var list *entries
	var version uint64
	t.mu.Lock()
	if held := t.holders[accountID]; held != nil {
		list, version = held.entries.Copy(), held.version
	}
	t.mu.Unlock()
	return items(list, (*entry).item), version
}

// allAssigned lists what anybody holds, by address.
func (t *table) allAssigned() []Item {
	t.mu.Lock()
	list := t.assigned.Copy()
	t.mu.Unlock()
	return items(list, func(e *entry) Item { return Item{IP: e.id, Zone: e.zone.text, AssignedTo: e.holder} })
}

func items(list *entries, item func(*entry) Item) []Item {
	if list == nil {
		return []Item{}
	}
	all := make([]Item, 0, list.Len())
	list.Scan(func(e *entry) bool {
		all = append(all, item(e))
		return true
	})
	return all
}

// spot is where in the listing of available addresses something stands.
type spot struct{ zone, id string }

// key is the key of our view for it.
func (s spot) key() []any { return []any{s.zone, hex.EncodeToString([]byte(s.id))} }

// spotOf reads a key of our view. A table does not have those of documents that are not regular.
func spotOf(key []any) (s spot, ok bool) {
	zone, isText := key[0].(string)
	text, isHex := key[1].(string)
	id, err := hex.DecodeString(text)
	return spot{zone, string(id)}, isText && isHex && err == nil
}

// free lists what can be assigned, by zone and id: in one zone or, without one, in all; from a spot on, which may be
// nil; and at most want, where 0 is all there is. It answers where the next one stands, nil where there is none.
func (t *table) free(zone string, from *spot, want int) (list []Item, next *spot) {
	zones := t.freeZones(zone, from, want)
	list = []Item{}
	for _, z := range zones {
		pivot := &entry{}
		if from != nil && z.zone == from.zone {
			pivot.id = from.id
		}
		z.entries.Ascend(pivot, func(e *entry) bool {
			if want > 0 && len(list) == want {
				next = &spot{z.zone, e.id}
				return false
			}
			list = append(list, e.item())
			return true
		})
		if next != nil {
			break
		}
	}
	return list, next
}

// freeZone is what can be assigned in one zone.
type freeZone struct {
	zone    string
	entries *entries
}

// freeZones answers what free has to look at. It is a copy, which costs next to nothing until something changes.
func (t *table) freeZones(zone string, from *spot, want int) (zones []freeZone) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := 0
	add := func(n *name) (more bool) {
		if n.free.Len() > 0 {
			zones = append(zones, freeZone{n.text, n.free.Copy()})
		}
		if from == nil || n.text != from.zone { // of that one it can be less
			found += n.free.Len()
		}
		return want == 0 || found <= want
	}
	switch {
	case zone != "":
		if n := t.zones.byText[zone]; n != nil {
			add(n)
		}
	case from != nil:
		t.zones.ordered.Ascend(&name{text: from.zone, key: t.zones.key(from.zone)}, add)
	default:
		t.zones.ordered.Scan(add)
	}
	return zones
}

// sizes answers how many entries there are, by zone and status.
func (t *table) sizes() map[[2]string]int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return maps.Clone(t.counts)
}

// freeCount answers how many can be assigned, in one zone or, without one, in all.
func (t *table) freeCount(zone string) (count int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for key, n := range t.counts {
		if key[1] == available && (zone == "" || key[0] == zone) {
			count += n
		}
	}
	return count
}
