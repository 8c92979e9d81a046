package dedicatedip

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"junctor/pkg/store"
)

// reservations are addresses that requests of this process are about to assign.
type reservations struct {
	mu  sync.Mutex
	ids map[string]bool
}

// take reserves an address unless another request has.
func (r *reservations) take(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids[id] {
		return false
	}
	r.ids[id] = true
	return true
}

func (r *reservations) free(spots []spot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range spots {
		delete(r.ids, s.id)
	}
}

func (r *reservations) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ids)
}

// lot is what can be drawn of one zone.
type lot struct {
	zone   string
	length int
	id     func(at int) string
}

// drawFrom reserves up to so many addresses.
func (a *allocation) drawFrom(lots []lot, missing int) (drawn []spot) {
	taken := map[string]int{}
	for len(drawn) < missing && len(lots) > 0 {
		at := a.chooseLot(lots, taken)
		id, ok := a.drawOne(lots[at])
		if !ok { // others are about to assign what is left
			lots = slices.Delete(lots, at, at+1)
			continue
		}
		drawn = append(drawn, spot{lots[at].zone, id})
		taken[lots[at].zone]++
	}
	return drawn
}

// chooseLot draws a zone: with spread one that least was taken of, else by how much it has.
func (a *allocation) chooseLot(lots []lot, taken map[string]int) int {
	if a.spread {
		order := rand.Perm(len(lots))
		return slices.MinFunc(order, func(x, y int) int {
			return cmp.Compare(a.taken[lots[x].zone]+taken[lots[x].zone], a.taken[lots[y].zone]+taken[lots[y].zone])
		})
	}
	total := 0
	for _, l := range lots {
		total += l.length
	}
	n := rand.IntN(total)
	for i, l := range lots {
		if n -= l.length; n < 0 {
			return i
		}
	}
	return len(lots) - 1
}

// drawOne reserves an address of a zone, the first that nobody has from a random one on.
func (a *allocation) drawOne(l lot) (id string, ok bool) {
	start := rand.IntN(l.length)
	for i := range l.length {
		if id := l.id((start + i) % l.length); a.reserved.take(id) {
			return id, true
		}
	}
	return "", false
}

// lots answers what is free in memory, in one zone or, without one, in all.
func (t *table) lots(zone string) (lots []lot) {
	for _, z := range t.freeZones(zone, nil, 0) {
		lots = append(lots, lot{z.zone, z.entries.Len(), func(at int) string {
			e, _ := z.entries.GetAt(at)
			return e.id
		}})
	}
	return lots
}

// spareLots is how many more addresses are read than are missing, so that several processes that ask the store at
// once draw different ones.
const spareLots = 256

// readLots reads what is free from the store, as much as this request may need to look at, and counts that.
func (a *allocation) readLots(ctx context.Context, missing int) (lots []lot, available int, err error) {
	zones := []string{a.zone}
	if a.spread && a.zone == "" {
		if zones, err = a.distinct(ctx, "zone_listing"); err != nil {
			return nil, 0, err
		}
	}
	limit := missing + a.reserved.length() + spareLots
	byZone := map[string][]string{}
	for _, zone := range zones {
		q := store.Query{Limit: limit}
		if zone != "" {
			q.StartKey, q.EndKey = []any{zone}, []any{zone, map[string]any{}}
		}
		err := a.store.View(ctx, Database, ourDesign, "available", q, func(row store.Row) error {
			if item, ok := itemOf(row); ok {
				byZone[item.Zone] = append(byZone[item.Zone], row.ID())
				available++
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	for zone, ids := range byZone {
		lots = append(lots, lot{zone, len(ids), func(at int) string { return ids[at] }})
	}
	return lots, available, nil
}
