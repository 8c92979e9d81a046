package routing

import (
	"fmt"
	"slices"
	"strings"

	"junctor/pkg/document"
)

var lookupCases = []testCase{
	{"lookup", lookup},
	{"addresses", addressOrder},
	{"shuffle", shuffled},
	{"documents by hand", byHand},
}

// finds checks a result of Lookup: "cluster direction zone" each.
func (s *subject) finds(ip, direction string, want ...string) {
	s.Helper()
	found, err := s.Lookup(ip, direction)
	s.ok(err)
	got := []string{}
	for _, h := range found {
		got = append(got, h.ClusterID+" "+h.Direction+" "+h.Zone)
	}
	if found == nil || !slices.Equal(got, append([]string{}, want...)) {
		s.Errorf("%s %s: got %q, want %q", ip, direction, got, want)
	}
}

// tries checks a result of Addresses: "ip@zone" each.
func (s *subject) tries(cluster, direction, zone string, want ...string) {
	s.Helper()
	found, err := s.Addresses(cluster, direction, zone)
	s.ok(err)
	if got := texts(found); found == nil || !slices.Equal(got, append([]string{}, want...)) {
		s.Errorf("%s %s: got %q, want %q", direction, zone, got, want)
	}
}

func texts(addresses []Address) []string {
	list := []string{}
	for _, a := range addresses {
		list = append(list, a.IP+"@"+a.Zone)
	}
	return list
}

// lookup: one's own write is seen by the time its call returns.
func lookup(s *subject) {
	s.finds("10.0.0.1", "")
	s.have(clusterA, "in:east:10.0.0.1", "out:west:10.0.0.1", "in:east:2001:db8::1")
	s.have(clusterB, "in:x:10.0.0.2")
	s.finds("10.0.0.1", "", clusterA+" inbound east", clusterA+" outbound west")
	s.finds("::ffff:10.0.0.1", Outbound, clusterA+" outbound west")
	s.finds("2001:DB8:0::1", "", clusterA+" inbound east")
	s.finds("2001:DB8:0::1", Outbound)
	s.finds("10.0.0.2", Inbound, clusterB+" inbound x")
	found, err := s.Lookup("10.0.0.2", "")
	want := `[{"cluster_id":"` + clusterB + `","owner":"o","name":"n","direction":"inbound","zone":"x"}]`
	if s.ok(err); jsonText(s, found) != want {
		s.Errorf("got %s", jsonText(s, found))
	}
	s.ok(outcome(s.Patch(s.Context(), clusterA, doc(s, `{"ips":{"inbound":{"east":["10.0.0.3"]}}}`), author, nil)))
	s.finds("10.0.0.1", "", clusterA+" outbound west")
	s.finds("10.0.0.3", "", clusterA+" inbound east")
	s.ok(outcome(s.Delete(s.Context(), clusterA, author, nil)))
	s.finds("10.0.0.3", "")
	s.tries(clusterA, Outbound, "")
}

func addressOrder(s *subject) {
	s.have(clusterA, "in:west:10.0.0.3", "in:east:10.0.0.9", "in:east:10.0.0.1", "in:central:2001:DB8::1",
		"out:x:10.0.0.1")
	s.tries(clusterA, Inbound, "", "2001:db8::1@central", "10.0.0.9@east", "10.0.0.1@east", "10.0.0.3@west")
	s.tries(clusterA, Inbound, "nowhere", "2001:db8::1@central", "10.0.0.9@east", "10.0.0.1@east", "10.0.0.3@west")
	s.tries(clusterA, Inbound, "west", "10.0.0.3@west", "2001:db8::1@central", "10.0.0.9@east", "10.0.0.1@east")
	s.tries(clusterA, Inbound, "east", "10.0.0.9@east", "10.0.0.1@east", "2001:db8::1@central", "10.0.0.3@west")
	s.tries(clusterA, Outbound, "east", "10.0.0.1@x")
	s.tries(clusterB, Outbound, "x")
}

// shuffled: a zone's addresses come in every order, and zones stay apart.
func shuffled(s *subject) {
	data := body(s, "in:b:10.0.0.1", "in:b:10.0.0.2", "in:b:10.0.0.3", "in:a:10.0.1.1", "in:a:10.0.1.2")
	data["randomize_routing"] = true
	s.ok(outcome(s.Create(s.Context(), clusterA, data, author)))
	orders := map[string]bool{}
	for range 1000 {
		found, err := s.Addresses(clusterA, Inbound, "b")
		s.ok(err)
		list := texts(found)
		orders[strings.Join(list, " ")] = true
		slices.Sort(list[:3])
		slices.Sort(list[3:])
		if got := strings.Join(list, " "); got != "10.0.0.1@b 10.0.0.2@b 10.0.0.3@b 10.0.1.1@a 10.0.1.2@a" {
			s.Fatalf("got %v", got)
		}
	}
	if len(orders) != 6*2 {
		s.Errorf("%d orders: %v", len(orders), orders)
	}
}

// byHand: documents that no writer of this package made do no harm.
func byHand(s *subject) {
	for id, text := range map[string]string{
		"a": `{"ips":7}`, "b": `{"ips":{"inbound":[],"outbound":{"x":7}}}`, "c": `{}`,
		"d": `{"ips":{"inbound":{"x":["hello",7,null,"10.0.0.1"],"y":["::ffff:10.0.0.1"]}},"owner":7}`,
		"e": `{"ips":{"inbound":{"z":["10.0.0.1"]}},"randomize_routing":"true"}`,
	} {
		d := doc(s, text)
		d["_id"], d["pvt_type"] = id, documentType
		s.ok(outcome(s.s.Put(s.Context(), Database, d)))
	}
	s.ok(s.Load(s.Context()))
	s.finds("10.0.0.1", "", "d inbound x", "d inbound y", "e inbound z")
	s.tries("d", Inbound, "", "10.0.0.1@x", "10.0.0.1@y")
	s.tries("a", Inbound, "")
	got, err := s.Get(s.Context(), "c")
	s.ok(err)
	s.shows(got, `{"id":"c","randomize_routing":false}`)
}

// fill puts a cluster of six addresses a direction into the index, and returns those of inbound.
func fill(x *index, number int) (ips []string) {
	zones := map[string]any{}
	for i := range 6 {
		ip := fmt.Sprintf("%d.%d.%d.%d", 10+i, number>>16, number>>8&255, number&255)
		ips = append(ips, ip)
		list, _ := zones[fmt.Sprint("zone", i/2)].([]any)
		zones[fmt.Sprint("zone", i/2)] = append(list, ip)
	}
	x.Apply(document.Document{"_id": fmt.Sprint("cluster", number), "_rev": "1-a", "pvt_type": documentType,
		"owner": "o", "name": "n", "ips": map[string]any{Inbound: zones, Outbound: zones}})
	return ips
}
