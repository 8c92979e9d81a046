package poolindex

import (
	"maps"
	"math"
	"net/netip"

	"junctor/pkg/kazoo"
)

// Listings collect entries under the lock and read them after it.

// AssignedTo lists what an account holds, by address.
func (x *Index) AssignedTo(accountID string) []*Entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if held := x.accounts[accountID]; held != nil {
		return held.Items()
	}
	return nil
}

// Assigned lists what any account holds, by address.
func (x *Index) Assigned() []*Entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if held := x.statuses[kazoo.Assigned]; held != nil {
		return held.Items()
	}
	return nil
}

// Zones lists the zones that have a name, in the order of the views.
func (x *Index) Zones() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.zones.texts()
}

// Hosts lists the hosts that have a name, in the order of the views.
func (x *Index) Hosts() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.hosts.texts()
}

// Spot is a position in the listing of available addresses.
type Spot struct{ Zone, ID string }

// Available lists available addresses by zone and id: of one zone or, if zone is empty, of all; from a spot on, which
// may be nil; without those that were given back after a time; and at most want, if that is not 0. next is where the
// listing continues, nil at its end.
func (x *Index) Available(zone string, from *Spot, want int, since int64) (entries []*Entry, next *Spot) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.zonesFrom(zone, from, func(n *name) bool {
		start := &Entry{} // before all others
		if from != nil && from.Zone == n.text {
			start = position(netip.Addr{}, from.ID)
		}
		n.available.Ascend(start, func(e *Entry) bool {
			if e.released > since {
				return true
			}
			if want > 0 && len(entries) == want {
				next = &Spot{n.text, e.ID()}
				return false
			}
			entries = append(entries, e)
			return true
		})
		return next == nil
	})
	return entries, next
}

// zonesFrom visits one zone or, if zone is empty, all: in order, from that of a spot on, which may be nil.
func (x *Index) zonesFrom(zone string, from *Spot, visit func(*name) (more bool)) {
	switch {
	case zone != "":
		if n := x.zones.byText[zone]; n != nil {
			visit(n)
		}
	case from != nil:
		x.zones.from(from.Zone, visit)
	default:
		x.zones.ordered.Scan(visit)
	}
}

// Lot is what is available in one zone.
type Lot struct {
	Zone   string
	Length int
	ID     func(at int) string // by position; empty for what is not to be drawn, or if fewer are available by now
}

// Lots returns what is available, of one zone or, if zone is empty, of all. What was given back after a time is not to
// be drawn.
func (x *Index) Lots(zone string, since int64) (lots []Lot) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.zonesFrom(zone, nil, func(n *name) bool {
		if length := n.available.Len(); length > 0 {
			lots = append(lots, Lot{n.text, length, func(at int) string { return x.freeAt(n, at, since) }})
		}
		return true
	})
	return lots
}

// freeAt returns the available address at a position in a zone, empty if there are fewer or it was given back after a
// time.
func (x *Index) freeAt(zone *name, at int, since int64) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e, ok := zone.available.GetAt(at); ok && e.released <= since {
		return e.ID()
	}
	return ""
}

// CountAvailable returns how many addresses are available in one zone or, if zone is empty, in all, without those that
// were given back after a time.
func (x *Index) CountAvailable(zone string, since int64) (count int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.zonesFrom(zone, nil, func(n *name) bool {
		count += n.available.Len()
		return true
	})
	x.scanReleased(since, func(e *Entry) {
		if zone == "" || zone == e.Zone() {
			count--
		}
	})
	return count
}

// ReleasedSince returns the available addresses that were given back after a time, in the order of that.
func (x *Index) ReleasedSince(since int64) (entries []*Entry) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.scanReleased(since, func(e *Entry) { entries = append(entries, e) })
	return entries
}

// scanReleased visits the available addresses that were given back after a time.
func (x *Index) scanReleased(since int64, visit func(*Entry)) {
	if since == math.MaxInt64 {
		return
	}
	x.released.Ascend(&Entry{released: since + 1}, func(e *Entry) bool {
		visit(e)
		return true
	})
}

// Counts returns how many entries there are in each group, without those that have none.
func (x *Index) Counts() map[Group]int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return maps.Clone(x.counts)
}

// Held returns how many addresses an account holds.
func (x *Index) Held(accountID string) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if held := x.accounts[accountID]; held != nil {
		return held.Len()
	}
	return 0
}
