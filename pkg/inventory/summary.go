package inventory

import (
	"context"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// Counts are how many addresses are available, and how many are assigned. Cooling are those of the available ones that
// only the account that had them can be assigned.
type Counts struct {
	Available int `json:"available"`
	Assigned  int `json:"assigned"`
	Cooling   int `json:"cooling"`
}

// Zone is the counts of a zone, and of each of its hosts.
type Zone struct {
	Counts
	Hosts map[string]*Counts `json:"hosts"`
}

// Summary is the counts of the pool, by zone and host. Addresses whose zone or host is not a string are under "".
type Summary struct {
	Total    Counts           `json:"total"`
	Zones    map[string]*Zone `json:"zones"`
	Bypassed bool             `json:"-"` // whether it was read from the store, since memory was not current
}

// Summary counts the addresses of the pool. Without the pool in memory it reads all rows of a view.
func (i *Inventory) Summary(ctx context.Context) (Summary, error) {
	reader := i.pool.Read()
	s := Summary{Zones: map[string]*Zone{}, Bypassed: reader.Bypassed()}
	if x := reader.Index(); x != nil {
		for group, count := range x.Counts() {
			s.add(group, count)
		}
		return s, nil
	}
	return s, i.store.View(ctx, dedicatedip.Database, kazooDesign, "summary_listing", store.Query{},
		func(row store.Row) error {
			var value map[string]any
			if err := row.Value(&value); err != nil {
				return err
			}
			text := func(key string) string {
				text, _ := value[key].(string)
				return text
			}
			s.add(poolindex.Group{
				Zone: text("zone"), Host: text("host"), Status: text("status"), Address: isAddress(row.ID()),
			}, 1)
			return nil
		})
}

// add counts addresses.
func (s *Summary) add(group poolindex.Group, count int) {
	if !group.Address {
		return
	}
	zone := s.Zones[group.Zone]
	if zone == nil {
		zone = &Zone{Hosts: map[string]*Counts{}}
		s.Zones[group.Zone] = zone
	}
	host := zone.Hosts[group.Host]
	if host == nil {
		host = &Counts{}
		zone.Hosts[group.Host] = host
	}
	for _, counts := range []*Counts{&s.Total, &zone.Counts, host} {
		switch group.Status {
		case kazoo.Available:
			counts.Available += count
		case kazoo.Assigned:
			counts.Assigned += count
		}
	}
}

func isAddress(id string) bool {
	_, ok := ipaddr.Parse(id)
	return ok
}
