package dedicatedip

import (
	"context"
	"slices"

	"junctor/pkg/ipaddr"
	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// Item is one row of a listing.
type Item struct {
	IP         string `json:"ip"`
	Zone       string `json:"zone,omitempty"`
	AssignedTo string `json:"assigned_to,omitempty"`
}

// itemOf reads a row of a listing. ok is false for a row that is not an address: Kazoo's sup adds any text to the pool.
func itemOf(row store.Row) (item Item, ok bool) {
	var value struct{ IP, Zone any }
	if row.Value(&value) != nil {
		return Item{}, false
	}
	item.IP, _ = value.IP.(string)
	item.Zone, _ = value.Zone.(string) // null where the document has none
	_, ok = ipaddr.Parse(item.IP)
	return item, ok
}

func itemsOf(entries []*poolindex.Entry) []Item {
	items := make([]Item, len(entries))
	for i, e := range entries {
		items[i] = Item{IP: e.ID(), Zone: e.Zone()}
	}
	return items
}

// Assigned lists the addresses an account holds: those of the local zone first, then by address (Crossbar
// shuffles them, kz_ips:sort_assigned, to spread its own calls; a listing is easier to read in order).
func (r Reader) Assigned(ctx context.Context, accountID string) ([]Item, error) {
	local := r.pool.options.ZoneName(ctx, r.pool.options.Zone)
	if r.index != nil {
		return nearestFirst(itemsOf(r.index.AssignedTo(accountID)), local), nil
	}
	all, err := r.pool.assigned(ctx, store.Query{Key: accountID})
	items := all[:0]
	for _, item := range all {
		if item.AssignedTo == accountID { // collation may hold another id equal
			items = append(items, Item{IP: item.IP, Zone: item.Zone})
		}
	}
	return nearestFirst(items, local), err
}

// AssignedAll lists every assigned address together with the account that holds it, in the order of Assigned.
func (r Reader) AssignedAll(ctx context.Context) ([]Item, error) {
	local := r.pool.options.ZoneName(ctx, r.pool.options.Zone)
	if r.index != nil {
		entries := r.index.Assigned()
		items := itemsOf(entries)
		for i, e := range entries {
			items[i].AssignedTo = e.Holder()
		}
		return nearestFirst(items, local), nil
	}
	items, err := r.pool.assigned(ctx, store.Query{})
	return nearestFirst(items, local), err
}

// assigned reads a listing by address, with the accounts that hold the addresses.
func (p *Pool) assigned(ctx context.Context, q store.Query) ([]Item, error) {
	items := []Item{}
	err := p.store.View(ctx, Database, pooldb.KazooDesign, "assigned_to_listing", q, func(row store.Row) error {
		item, ok := itemOf(row)
		if !ok {
			return nil
		}
		if holder := ""; row.Key(&holder) == nil { // null if Crossbar assigned it to no account
			item.AssignedTo = holder
		}
		items = append(items, item)
		return nil
	})
	slices.SortFunc(items, func(a, b Item) int { return ipaddr.Compare(a.IP, b.IP) })
	return items, err
}

// nearestFirst moves the addresses of a zone to the front. Otherwise they keep their order.
func nearestFirst(items []Item, zone string) []Item {
	isNear := func(item Item) bool { return item.Zone == zone }
	if zone == "" || !slices.ContainsFunc(items, isNear) { // the addresses without a zone are not near
		return items
	}
	sorted := make([]Item, 0, len(items))
	for _, near := range []bool{true, false} {
		for _, item := range items {
			if isNear(item) == near {
				sorted = append(sorted, item)
			}
		}
	}
	return sorted
}

// Zones lists the zones of the pool, each once, by collation.
func (r Reader) Zones(ctx context.Context) ([]string, error) {
	if r.index != nil {
		return r.index.Zones(), nil
	}
	return pooldb.Names(ctx, r.pool.store, pooldb.Zones)
}

// Hosts lists the hosts of the pool, each once, by collation.
func (r Reader) Hosts(ctx context.Context) ([]string, error) {
	if r.index != nil {
		return r.index.Hosts(), nil
	}
	return pooldb.Names(ctx, r.pool.store, pooldb.Hosts)
}
