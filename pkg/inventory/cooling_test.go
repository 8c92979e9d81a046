package inventory_test

import (
	"strings"
	"testing"
	"time"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/inventory"
	"junctor/pkg/kazoo"
)

// TestCooling: addresses that were given back a short time ago are found and counted, and listings say until when they
// cool.
func TestCooling(t *testing.T) {
	onStores(t, func(s *subject) {
		s.ok(s.s.CreateDatabase(s.Context(), kazoo.SystemConfig))
		_, err := s.s.Put(s.Context(), kazoo.SystemConfig,
			document.Document{"_id": "ips", "default": map[string]any{"cooling_s": document.Number(3600)}})
		s.ok(err)
		now := kazoo.Gregorian(time.Now())
		s.address("10.0.0.1", "z", "h", "")
		s.address("10.0.0.2", "z", "h", acme)
		for id, released := range map[string]int64{"10.0.0.3": now, "10.0.0.4": now - 10_000, "10.0.0.5": now - 60} {
			_, err := s.s.Put(s.Context(), dedicatedip.Database, document.Document{ // as Kazoo leaves it after a release
				"_id": id, kazoo.FieldType: kazoo.TypeDedicatedIP, kazoo.FieldZone: "z", kazoo.FieldHost: "h" + id[len("10.0.0."):],
				kazoo.FieldStatus: kazoo.Available, kazoo.FieldCreated: document.Number(now - 20_000),
				kazoo.FieldModified: document.Number(released),
			})
			s.ok(err)
		}
		s.follow()
		yes, no := true, false
		for name, i := range map[string]*inventory.Inventory{"following": s.following, "asking": s.asking} {
			for _, test := range []struct {
				search inventory.SearchRequest
				want   string
			}{
				{inventory.SearchRequest{Cooling: &yes}, "10.0.0.3 10.0.0.5"},
				{inventory.SearchRequest{Cooling: &yes, Host: "h5", Status: kazoo.Available}, "10.0.0.5"},
				{inventory.SearchRequest{Cooling: &yes, AssignedTo: acme}, ""},
				{inventory.SearchRequest{Cooling: &no}, "10.0.0.1 10.0.0.2 10.0.0.4"},
				{inventory.SearchRequest{Cooling: &no, Status: kazoo.Available}, "10.0.0.1 10.0.0.4"},
			} {
				page, err := i.Search(s.Context(), test.search)
				s.ok(err)
				var ids []string
				for _, row := range page.Rows {
					ids = append(ids, row.ID)
					if cools := row.CoolingUntil > 0; cools != *test.search.Cooling {
						s.Errorf("%s: %+v", name, row)
					}
					if row.ID == "10.0.0.5" && row.CoolingUntil != now-60+3600 {
						s.Errorf("%s: %s cools until %d", name, row.ID, row.CoolingUntil)
					}
				}
				if got := strings.Join(ids, " "); got != test.want {
					s.Errorf("%s: %+v: %s, want %s", name, test.search, got, test.want)
				}
			}
			summary, err := i.Summary(s.Context())
			s.ok(err)
			if summary.Total != (inventory.Counts{Available: 4, Assigned: 1, Cooling: 2}) ||
				*summary.Zones["z"].Hosts["h5"] != (inventory.Counts{Available: 1, Cooling: 1}) {
				s.Errorf("%s: %+v", name, summary.Total)
			}
		}
	})
}
