package dedicatedip

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

var listCases = []testCase{
	{"assigned", assignedOrder},
	{"assigned to all", assignedToAll},
	{"zones and hosts", zonesAndHosts},
}

// document is a dedicated IP's. What is empty is null.
func dedicated(id, zone, holder string) string {
	status := `"available"`
	if holder != "" {
		status = fmt.Sprintf(`"assigned","pvt_assigned_to":%q`, holder)
	}
	zone = map[bool]string{true: "null", false: fmt.Sprintf("%q", zone)}[zone == ""]
	return fmt.Sprintf(`{"_id":%q,"pvt_type":"dedicated_ip","pvt_zone":%s,"pvt_host":%s,"pvt_status":%s}`,
		id, zone, zone, status)
}

func texts(items []Item) string {
	var list []string
	for _, item := range items {
		list = append(list, strings.TrimRight(item.IP+"@"+item.Zone+"="+item.AssignedTo, "@="))
	}
	return strings.Join(list, " ")
}

func assignedOrder(s *subject) {
	s.put(dedicated("10.0.0.10", "z1", accountA), dedicated("10.0.0.9", "z2", accountA),
		dedicated("2001:db8::1", "local", accountA), dedicated("10.0.0.2", "local", accountA),
		dedicated("::ffff:10.0.0.1", "local", accountA), dedicated("hello", "local", accountA),
		dedicated("10.0.0.3", "", accountA), dedicated("10.0.0.4", "local", accountB), dedicated("10.0.0.5", "local", ""),
		`{"_id":"10.0.0.11","pvt_type":"dedicated_ip","pvt_status":"assigned","pvt_zone":7,"pvt_assigned_to":"`+accountA+`"}`)
	items, err := s.Read().Assigned(s.Context(), accountA)
	s.ok(err)
	const want = "::ffff:10.0.0.1@local 10.0.0.2@local 2001:db8::1@local 10.0.0.3 10.0.0.9@z2 10.0.0.10@z1 10.0.0.11"
	if got := texts(items); got != want {
		s.Errorf("got  %s\nwant %s", got, want)
	}
	if items, err := s.Read().Assigned(s.Context(), accountC); err != nil || items == nil || len(items) > 0 {
		s.Errorf("who has none: %#v, %v", items, err)
	}
	nowhere := New(s.s, Options{}) // does not put addresses without a zone first
	if items, err = nowhere.Read().Assigned(s.Context(), accountA); err != nil || items[0].IP != "::ffff:10.0.0.1" {
		s.Errorf("without a local zone: %v, %v", items, err)
	}
	renamed := New(s.s, Options{Zone: "local", ZoneName: func(_ context.Context, zone string) string {
		return map[string]string{"local": "z2"}[zone]
	}})
	if items, err = renamed.Read().Assigned(s.Context(), accountA); err != nil || items[0].IP != "10.0.0.9" {
		s.Errorf("with a local zone of another name: %v, %v", items, err)
	}
}

func assignedToAll(s *subject) {
	s.put(dedicated("10.0.0.3", "z", accountA), dedicated("10.0.0.1", "z", accountB), dedicated("10.0.0.5", "z", ""),
		dedicated("10.0.0.9", "local", accountB), dedicated("hello", "z", accountA),
		`{"_id":"10.0.0.2","pvt_type":"dedicated_ip","pvt_status":"assigned","pvt_zone":"z"}`)
	items, err := s.Read().AssignedAll(s.Context())
	want := "10.0.0.9@local=" + accountB + " 10.0.0.1@z=" + accountB + " 10.0.0.2@z 10.0.0.3@z=" + accountA
	if got := texts(items); err != nil || got != want {
		s.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func zonesAndHosts(s *subject) {
	for _, read := range []func(context.Context) ([]string, error){s.Read().Zones, s.Read().Hosts} {
		if names, err := read(s.Context()); err != nil || names == nil || len(names) > 0 {
			s.Errorf("of nothing: %#v, %v", names, err)
		}
	}
	s.put(dedicated("10.0.0.1", "b", ""), dedicated("10.0.0.2", "a", accountA), dedicated("10.0.0.3", "b", accountB),
		dedicated("10.0.0.4", "", ""), `{"_id":"10.0.0.5","pvt_type":"dedicated_ip"}`, `{"_id":"x","pvt_zone":"c"}`,
		`{"_id":"10.0.0.6","pvt_type":"dedicated_ip","pvt_zone":{"a":1},"pvt_host":["c"]}`)
	zones, err := s.Read().Zones(s.Context())
	hosts, err2 := s.Read().Hosts(s.Context())
	if want := []string{"a", "b"}; err != nil || err2 != nil || !slices.Equal(zones, want) || !slices.Equal(hosts, want) {
		s.Errorf("zones %v, %v, hosts %v, %v", zones, err, hosts, err2)
	}
}
