package inventory

import (
	"context"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// Counts are numbers of addresses. Cooling ones are among the available ones: only the account that had them can be
// assigned them.
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
	rule, err := i.pool.Cooling(ctx)
	if err != nil {
		return Summary{}, err
	}
	reader := i.pool.Read()
	s := Summary{Zones: map[string]*Zone{}, Bypassed: reader.Bypassed()}
	if x := reader.Index(); x != nil {
		for group, count := range x.Counts() {
			s.add(group, count)
		}
		for _, e := range x.ReleasedSince(rule.Since()) {
			s.addCooling(e)
		}
		return s, nil
	}
	q := store.Query{IncludeDocs: rule.Seconds > 0} // the record of changes is in the document
	return s, i.store.View(ctx, dedicatedip.Database, pooldb.KazooDesign, "summary_listing", q,
		func(row store.Row) error {
			r, err := pooldb.ReadSummaryRow(row)
			if err != nil {
				return err
			}
			s.add(poolindex.Group{Zone: r.Zone, Host: r.Host, Status: r.Status, Address: isAddress(r.IP)}, 1)
			if !q.IncludeDocs {
				return nil
			}
			doc, err := row.Doc()
			if err != nil || doc == nil { // it was deleted meanwhile
				return err
			}
			if e := poolindex.NewEntry(doc); rule.Until(e.Released()) > 0 {
				s.addCooling(e)
			}
			return nil
		})
}

// add counts addresses.
func (s *Summary) add(group poolindex.Group, count int) {
	if !group.Address {
		return
	}
	for _, counts := range s.of(group.Zone, group.Host) {
		switch group.Status {
		case kazoo.Available:
			counts.Available += count
		case kazoo.Assigned:
			counts.Assigned += count
		}
	}
}

// addCooling counts an address that cools.
func (s *Summary) addCooling(e *poolindex.Entry) {
	if e.Address().IsValid() {
		for _, counts := range s.of(e.Zone(), e.Host()) {
			counts.Cooling++
		}
	}
}

// of returns the counts that an address of a zone and host belongs to.
func (s *Summary) of(zoneName, hostName string) []*Counts {
	zone := s.Zones[zoneName]
	if zone == nil {
		zone = &Zone{Hosts: map[string]*Counts{}}
		s.Zones[zoneName] = zone
	}
	host := zone.Hosts[hostName]
	if host == nil {
		host = &Counts{}
		zone.Hosts[hostName] = host
	}
	return []*Counts{&s.Total, &zone.Counts, host}
}

func isAddress(id string) bool {
	_, ok := ipaddr.Parse(id)
	return ok
}
