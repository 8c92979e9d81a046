package dedicatedip

import (
	"encoding/hex"
	"maps"

	"junctor/pkg/ipaddr"
)

// address answers what the API shows of an entry.
func (e entry) address() Address {
	return Address{
		ID: e.id, IP: e.id, Zone: e.zone, Host: e.host, Status: e.status, Type: documentType,
		AssignedTo: e.holder, Revision: e.rev,
	}
}

// item answers a row of a listing.
func (r *rows) item(at ref) Item { return Item{IP: r.id(at), Zone: r.words.text(r.at(at).zone)} }

// longestRun is how many rows of a listing are read before others have their turn with the table. In a longer one
// every row is as it was at some moment of the request, as in a view of several shards.
const longestRun = 1000

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

// assignedTo lists what an account holds, by address, with the version of the list when that began.
func (t *table) assignedTo(accountID string) (list []Item, version uint64) {
	list = t.list(func() order {
		held := t.holders[accountID]
		if held == nil {
			return order{}
		}
		if version == 0 {
			version = held.version
		}
		return held.order
	}, t.rows.item)
	return list, version
}

// allAssigned lists what anybody holds, by address.
func (t *table) allAssigned() []Item {
	return t.list(func() order { return t.assigned }, func(at ref) Item {
		item := t.rows.item(at)
		item.AssignedTo = t.rows.words.text(t.rows.at(at).holder)
		return item
	})
}

// list lists an order by address, which it asks for in every run.
func (t *table) list(in func() order, item func(ref) Item) (list []Item) {
	list = []Item{}
	for more := true; more; {
		list, more = t.listRun(list, in, item)
	}
	return list
}

// listRun adds to a list what comes after it.
func (t *table) listRun(list []Item, in func() order, item func(ref) Item) (longer []Item, more bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	reached := all
	if len(list) > 0 {
		last := list[len(list)-1].IP
		reached = func(at ref) bool { return ipaddr.Compare(t.rows.id(at), last) > 0 }
	}
	in().from(reached, func(at ref) bool {
		list = append(list, item(at))
		more = len(list)%longestRun == 0
		return !more
	})
	return list, more
}

func all(ref) bool { return true }

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
	list, next = []Item{}, from
	for {
		run := longestRun
		if want > 0 {
			run = min(run, want-len(list))
		}
		if list, next = t.freeRun(list, zone, next, run); next == nil || len(list) == want {
			return list, next
		}
	}
}

// freeRun adds to a list as many as run.
func (t *table) freeRun(list []Item, zone string, from *spot, run int) (longer []Item, next *spot) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	t.zonesFrom(zone, from, func(n *name) (more bool) {
		reached := all
		if from != nil && from.zone == n.text {
			reached = func(at ref) bool { return t.rows.reaches(at, from.id) }
		}
		n.free.from(reached, func(at ref) (more bool) {
			if run == 0 {
				next = &spot{n.text, t.rows.id(at)}
				return false
			}
			list = append(list, t.rows.item(at))
			run--
			return true
		})
		return next == nil
	})
	return list, next
}

// zonesFrom visits one zone or, without one, all: in order, from that of a spot on, which may be nil.
func (t *table) zonesFrom(zone string, from *spot, visit func(*name) (more bool)) {
	switch {
	case zone != "":
		if n := t.zones.byText[zone]; n != nil {
			visit(n)
		}
	case from != nil:
		t.zones.ordered.Ascend(t.zones.like(from.zone), visit)
	default:
		t.zones.ordered.Scan(visit)
	}
}

// lots answers what can be drawn, in one zone or, without one, in all.
func (t *table) lots(zone string) (lots []lot) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	t.zonesFrom(zone, nil, func(n *name) bool {
		if length := n.free.Len(); length > 0 {
			lots = append(lots, lot{n.text, length, func(at int) string { return t.freeAt(n, at) }})
		}
		return true
	})
	return lots
}

// freeAt answers what can be assigned of a zone by its place there, empty where there is less by now.
func (t *table) freeAt(zone *name, at int) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if at, ok := zone.free.GetAt(at); ok {
		return t.rows.id(at)
	}
	return ""
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
