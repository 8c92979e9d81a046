package dedicatedip

import (
	"fmt"
	"slices"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

// alike are names of zones that collation holds for equal.
var alike = [][2]string{
	{"us-east", "us\u00ad-east"}, {"us-east", "us-east\u200b"}, {"us-east", "us-east\u0001"}, {"Z\u00fcrich", "Zu\u0308rich"},
}

// TestZonesAreComparedExactly: zones whose names collation holds for equal are two, whoever answers (P3).
func TestZonesAreComparedExactly(t *testing.T) {
	t.Parallel()
	for i, zones := range alike {
		for _, how := range []string{asking, following} {
			t.Run(fmt.Sprintf("%s %d", how, i), func(t *testing.T) {
				t.Parallel()
				s := newSubject(t, storetest.Open(t, "memory:"))
				if how == following {
					s.following(s.Pool)
				}
				zonesApart(s, zones)
			})
		}
	}
}

func zonesApart(s *subject, zones [2]string) {
	s.Helper()
	create := func(ip, zone string) {
		_, err := s.Create(s.Context(), CreateRequest{Address: ip, Zone: zone, Host: "h"})
		s.ok(err)
	}
	create("10.0.0.1", zones[1])
	_, err := s.Allocate(s.Context(), wish(1, inOneZone(zones[0])))
	if err == nil || fault.Is(err, fault.DatastoreUnreachable) {
		s.Errorf("of the other zone: %v", err)
		_, _ = s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})
	}
	create("10.0.0.2", zones[0])
	create("10.0.0.3", zones[1])
	create("10.0.0.4", zones[0])
	for i, zone := range zones {
		page, err := s.Read().Available(s.Context(), Filter{Zone: zone})
		s.ok(err)
		if len(page.Items) != 2 || page.Items[0].Zone != zone || page.Items[1].Zone != zone {
			s.Errorf("zone %d: %v", i, page.Items)
		}
	}
	var ids []string
	f := Filter{PageSize: 1}
	for range 10 {
		page, err := s.Read().Available(s.Context(), f)
		s.ok(err)
		for _, item := range page.Items {
			ids = append(ids, item.IP)
		}
		if f.StartKey = page.Next; page.Next == "" {
			break
		}
	}
	slices.Sort(ids)
	if want := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}; !slices.Equal(ids, want) {
		s.Errorf("paging: %v", ids)
	}
	got, err := s.Allocate(s.Context(), wish(2, spread))
	s.ok(err)
	if len(got) != 2 || got[0].doc["pvt_zone"] == got[1].doc["pvt_zone"] {
		s.Errorf("spread: %v", got)
	}
}
