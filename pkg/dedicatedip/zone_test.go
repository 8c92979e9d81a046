package dedicatedip

import (
	"fmt"
	"maps"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/pooldb"
	"junctor/pkg/testutil"
)

// zoneCases are about zones whose names differ, but are equal in Unicode's collation, by which CouchDB orders keys (P3).
var zoneCases = []testCase{
	{"zones that collation holds equal: listings", equalZonesListed},
	{"zones that collation holds equal: pages", equalZonesPaged},
	{"zones that collation holds equal: allocation", equalZonesAllocated},
}

// equalZones are three groups of zones whose names are equal in collation.
var equalZones = []string{"us-east", "us-east\u0001", "us-east\u00ad", "us-east\u200b", "us-west", "Zu\u0308rich", "Zürich"}

// fillEqualZones makes addresses available that alternate between the zones, and returns them by zone.
func (s *subject) fillEqualZones(each int) map[string][]string {
	s.Helper()
	ids := map[string][]string{}
	var docs []document.Document
	for n := range each * len(equalZones) {
		id, zone := fmt.Sprintf("10.0.%d.%d", n/100, 100+n%100), equalZones[n%len(equalZones)]
		ids[zone] = append(ids[zone], id)
		docs = append(docs, document.Document{"_id": id, "pvt_type": documentType, "pvt_status": available,
			"pvt_zone": zone, "pvt_host": zone + ".host"})
	}
	s.putMany(Database, docs)
	return ids
}

func equalZonesListed(s *subject) {
	ids := s.fillEqualZones(3)
	zones, err := s.Read().Zones(s.Context())
	s.ok(err)
	hosts, err := s.Read().Hosts(s.Context())
	s.ok(err)
	if got := slices.Sorted(slices.Values(zones)); !slices.Equal(got, slices.Sorted(slices.Values(equalZones))) {
		s.Errorf("zones %q", got)
	}
	if len(hosts) != len(equalZones) {
		s.Errorf("hosts %q", hosts)
	}
	for _, zone := range equalZones {
		page, err := s.Read().Available(s.Context(), Filter{Zone: zone})
		s.ok(err)
		if got := addressesOf(page.Items); !slices.Equal(got, ids[zone]) {
			s.Errorf("%q has %v, want %v", zone, got, ids[zone])
		}
	}
	sizes := s.sizes()
	summary, err := pooldb.Summary(s.Context(), s.s, "us-east.host")
	if err != nil || len(summary) != 3 || len(sizes) != len(equalZones) {
		s.Errorf("summary %v, %v, sizes %v", summary, err, sizes)
	}
	if page, err := s.Read().Available(s.Context(), Filter{Zone: "us-east\u2060"}); err != nil || len(page.Items) > 0 {
		s.Errorf("a zone that is not there has %v, %v", page.Items, err)
	}
}

func addressesOf(items []Item) []string {
	list := make([]string, len(items))
	for i, item := range items {
		list[i] = item.IP
	}
	return list
}

func equalZonesPaged(s *subject) {
	ids := s.fillEqualZones(3)
	page, err := s.Read().Available(s.Context(), Filter{})
	s.ok(err)
	all := addressesOf(page.Items)
	var zones []string
	for _, item := range page.Items {
		zones = append(zones, item.Zone)
	}
	if len(all) != 3*len(equalZones) || len(slices.Compact(zones)) != len(equalZones) {
		s.Errorf("%d addresses of zones %q", len(all), zones)
	}
	for size := 1; size <= 4; size++ {
		s.pages(s.Pool, Filter{PageSize: size}, all)
		for _, zone := range equalZones {
			s.pages(s.Pool, Filter{PageSize: size, Zone: zone}, ids[zone])
		}
	}
}

func equalZonesAllocated(s *subject) {
	s.fillEqualZones(4)
	for _, zone := range equalZones {
		ips, err := s.Allocate(s.Context(), wish(2, inOneZone(zone)))
		s.ok(err)
		if got := zonesOf(ips); !maps.Equal(got, map[string]int{zone: 2}) {
			s.Errorf("of %q: %v", zone, got)
		}
	}
	testutil.RequireFault(s, outcome(s.Allocate(s.Context(), wish(3, inOneZone(equalZones[1])))), fault.Conflict)
	testutil.RequireFault(s, outcome(s.Allocate(s.Context(), wish(1, inOneZone("us-east\u2060")))), fault.Invalid)
	ips, err := s.Allocate(s.Context(), wish(len(equalZones), spread, to(accountB)))
	s.ok(err)
	if got := zonesOf(ips); len(got) != len(equalZones) {
		s.Errorf("spread over %v", got)
	}
	rest, err := s.Allocate(s.Context(), wish(len(equalZones), spread, to(accountC)))
	s.ok(err)
	s.copies(accountC, idsOf(rest)...)
}
