package dedicatedip

import (
	"context"

	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// drawFrom reserves addresses, until it has as many as are missing.
func (a *allocation) drawFrom(lots []poolindex.Lot, missing int) {
	var taken map[string]int // by zone
	if a.Spread {
		taken = map[string]int{}
		for _, ip := range a.won() {
			taken[ip.doc.String(fieldZone)]++
		}
		for _, s := range a.drawn {
			taken[s.Zone]++
		}
	}
	a.drawn = append(a.drawn, a.reserved.Draw(lots, missing-len(a.drawn), taken)...)
}

// spareLots is how many more addresses are read than are missing, so that several processes that read the store at
// once draw different ones.
const spareLots = 256

// readLots reads what is free from the store, as much as this request may need to look at. Fewer than are missing are
// a fault.Conflict that says how many.
func (a *allocation) readLots(ctx context.Context, missing int) (lots []poolindex.Lot, err error) {
	queries, err := a.queries(ctx)
	if err != nil {
		return nil, err
	}
	limit := missing + a.reserved.Len() + spareLots
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
		return []store.Query{pooldb.Available(a.Zone, nil)}, nil
	case !a.Spread:
		return []store.Query{{}}, nil
	}
	queries := []store.Query{pooldb.AvailableWithoutZone()}
	zones, err := pooldb.Names(ctx, a.store, pooldb.Zones)
	for _, zone := range zones {
		queries = append(queries, pooldb.Available(zone, nil))
	}
	return queries, err
}
