package dedicatedip

import (
	"context"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
	"junctor/pkg/store"
)

// Item is one row of a listing.
type Item struct {
	IP         string `json:"ip"`
	Zone       string `json:"zone,omitempty"`
	AssignedTo string `json:"assigned_to,omitempty"`
}

// itemOf reads a row of a listing. A row that is no address is no item: Kazoo's sup adds any text to the pool.
func itemOf(row store.Row) (Item, bool) {
	var value struct{ IP, Zone any }
	if row.Value(&value) != nil {
		return Item{}, false
	}
	var item Item
	item.IP, _ = value.IP.(string)
	item.Zone, _ = value.Zone.(string) // null where the document has none
	_, ok := ipaddr.Parse(item.IP)
	return item, ok
}

// Items is a listing of addresses.
type Items = document.Encoded[[]Item]

// Names is a listing of zones or hosts.
type Names = document.Encoded[[]string]

// Assigned lists the addresses an account holds: those of the local zone first, then by address (Crossbar
// shuffles them, kz_ips:sort_assigned, to spread its own calls; a listing is easier to read in order).
func (p *Pool) Assigned(ctx context.Context, accountID string) (*Items, error) {
	local := p.named(ctx, p.zone)
	if m := p.fresh(); m != nil {
		return m.assigned(accountID, local), nil
	}
	items, err := p.assigned(ctx, store.Query{Key: accountID}, func(store.Row, *Item) {})
	return document.NewEncoded(nearestFirst(items, local)), err
}

// AssignedAll lists every assigned address together with the account that holds it, in the order of Assigned.
func (p *Pool) AssignedAll(ctx context.Context) ([]Item, error) {
	local := p.named(ctx, p.zone)
	if m := p.fresh(); m != nil {
		return nearestFirst(m.table.allAssigned(), local), nil
	}
	items, err := p.assigned(ctx, store.Query{}, func(row store.Row, item *Item) {
		if holder := ""; row.Key(&holder) == nil { // null where Crossbar assigned it to nobody
			item.AssignedTo = holder
		}
	})
	return nearestFirst(items, local), err
}

// assigned reads a listing by address.
func (p *Pool) assigned(ctx context.Context, q store.Query, more func(store.Row, *Item)) ([]Item, error) {
	items := []Item{}
	err := p.store.View(ctx, Database, kazooDesign, "assigned_to_listing", q, func(row store.Row) error {
		if item, ok := itemOf(row); ok {
			more(row, &item)
			items = append(items, item)
		}
		return nil
	})
	slices.SortFunc(items, func(a, b Item) int { return ipaddr.Compare(a.IP, b.IP) })
	return items, err
}

// nearestFirst moves the addresses of a zone to the front, in the order they have.
func nearestFirst(items []Item, zone string) []Item {
	if zone == "" {
		return items
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		switch near, nearer := a.Zone == zone, b.Zone == zone; {
		case near && !nearer:
			return -1
		case nearer && !near:
			return 1
		}
		return 0
	})
	return items
}

// Zones lists the zones of the pool, each once, in the order of the view.
func (p *Pool) Zones(ctx context.Context) (*Names, error) {
	if m := p.fresh(); m != nil {
		return m.zones.get(m.table, m.table.zones), nil
	}
	names, err := p.distinct(ctx, "zone_listing")
	return document.NewEncoded(names), err
}

// Hosts lists the hosts of the pool, each once, in the order of the view.
func (p *Pool) Hosts(ctx context.Context) (*Names, error) {
	if m := p.fresh(); m != nil {
		return m.hosts.get(m.table, m.table.hosts), nil
	}
	names, err := p.distinct(ctx, "host_listing")
	return document.NewEncoded(names), err
}

func (p *Pool) distinct(ctx context.Context, view string) ([]string, error) {
	names := []string{}
	err := p.store.View(ctx, Database, kazooDesign, view, store.Query{Group: true}, func(row store.Row) error {
		var name *string
		if err := row.Key(&name); err == nil && name != nil {
			names = append(names, *name)
		}
		return nil // a zone that is no text is none
	})
	return names, err
}

// hasZone reports whether the store has any address of a zone, or of one whose name CouchDB sorts as equal.
func (p *Pool) hasZone(ctx context.Context, zone string) (known bool, err error) {
	err = p.store.View(ctx, Database, kazooDesign, "zone_listing", store.Query{Key: zone, Group: true},
		func(store.Row) error {
			known = true
			return nil
		})
	return known, err
}

// Counts answers how many addresses the pool has, by zone and status ("available", "assigned"). Where that can't be
// answered from memory, the whole pool is read for it.
func (p *Pool) Counts(ctx context.Context) (map[[2]string]int, error) {
	if m := p.fresh(); m != nil {
		return m.table.sizes(), nil
	}
	counts := map[[2]string]int{}
	err := p.store.View(ctx, Database, kazooDesign, "summary_listing", store.Query{}, func(row store.Row) error {
		var value struct{ Zone, Status any }
		if err := row.Value(&value); err != nil {
			return err
		}
		zone, isText := value.Zone.(string)
		status, isText2 := value.Status.(string)
		if isText && isText2 { // else a document without zone or status
			counts[[2]string{zone, status}]++
		}
		return nil
	})
	return counts, err
}
