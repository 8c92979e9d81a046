package dedicatedip

import (
	"cmp"
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// reservations are addresses that requests of this process are about to assign.
type reservations struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (r *reservations) free(spots []poolindex.Spot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range spots {
		delete(r.ids, s.ID)
	}
}

func (r *reservations) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ids)
}

// drawFrom reserves addresses, until it has as many as are missing. No other request draws meanwhile: of two that want
// all there is, one is to get it.
func (a *allocation) drawFrom(lots []poolindex.Lot, missing int) {
	a.reserved.mu.Lock()
	defer a.reserved.mu.Unlock()
	taken := maps.Clone(a.taken)
	for _, s := range a.drawn {
		taken[s.Zone]++
	}
	for len(a.drawn) < missing && len(lots) > 0 {
		at := a.chooseLot(lots, taken)
		id, ok := a.drawOne(lots[at])
		if !ok { // others are about to assign what is left
			lots = slices.Delete(lots, at, at+1)
			continue
		}
		a.drawn = append(a.drawn, poolindex.Spot{Zone: lots[at].Zone, ID: id})
		taken[lots[at].Zone]++
	}
}

// chooseLot draws a zone: with spread one that least was taken of, else by how much it has.
func (a *allocation) chooseLot(lots []poolindex.Lot, taken map[string]int) int {
	if a.Spread {
		order := rand.Perm(len(lots))
		return slices.MinFunc(order, func(x, y int) int {
			return cmp.Compare(taken[lots[x].Zone], taken[lots[y].Zone])
		})
	}
	total := 0
	for _, l := range lots {
		total += l.Length
	}
	n := rand.IntN(total)
	for i, l := range lots {
		if n -= l.Length; n < 0 {
			return i
		}
	}
	return len(lots) - 1
}

// leaps is how often an address is drawn anew instead of the next one. Many that can't be drawn, as those that cool, may
// be next to each other.
const leaps = 16

// drawOne reserves an address of a zone: the first that can be drawn of a few random ones and, from the last one of those
// on, of all.
func (a *allocation) drawOne(l poolindex.Lot) (id string, ok bool) {
	at := rand.IntN(l.Length)
	for i := range l.Length + leaps {
		if id := l.ID(at); id != "" && !a.reserved.ids[id] {
			a.reserved.ids[id] = true
			return id, true
		}
		if at = (at + 1) % l.Length; i < leaps {
			at = rand.IntN(l.Length)
		}
	}
	return "", false
}

// spareLots is how many more addresses are read than are missing, so that several processes that ask the store at
// once draw different ones.
const spareLots = 256

// readLots reads what is free from the store, as much as this request may need to look at. Fewer than are missing are
// a fault.Conflict that says how many.
func (a *allocation) readLots(ctx context.Context, missing int) (lots []poolindex.Lot, err error) {
	queries, err := a.queries(ctx)
	if err != nil {
		return nil, err
	}
	limit := missing + a.reserved.length() + spareLots
	byZone, available := map[string][]string{}, 0
	for _, q := range queries {
		items, _, err := a.readAvailable(ctx, Filter{}, q, limit, a.cooling)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			byZone[item.Zone] = append(byZone[item.Zone], item.IP)
		}
		available += len(items)
	}
	if available < missing {
		return nil, a.tooFew(ctx, available)
	}
	for zone, ids := range byZone {
		lots = append(lots, poolindex.Lot{Zone: zone, Length: len(ids), ID: func(at int) string { return ids[at] }})
	}
	return lots, nil
}

// queries returns what to read of the view: all, one zone, or to spread, each zone for itself.
func (a *allocation) queries(ctx context.Context) ([]store.Query, error) {
	switch {
	case a.Zone != "":
		return []store.Query{pooldb.AvailableIn(a.Zone)}, nil
	case !a.Spread:
		return []store.Query{{}}, nil
	}
	queries := []store.Query{{StartKey: []any{nil}, EndKey: []any{nil, map[string]any{}}}} // documents without a zone
	zones, err := pooldb.Names(ctx, a.store, pooldb.Zones)
	for _, zone := range zones {
		queries = append(queries, pooldb.AvailableIn(zone))
	}
	return queries, err
}
