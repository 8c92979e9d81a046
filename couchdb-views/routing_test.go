package couchdbviews

import (
	"slices"
	"testing"
)

const (
	cluster = `{"_id":"c1","pvt_type":"customer_cluster","owner":"o","name":"n","randomize_routing":true,"ips":{
		"inbound":{"east":["0.0.0.1","0.0.0.2"],"west":[]},"outbound":{"east":["0.0.0.1"]},"other":{"east":["0.0.0.9"]}}}`
	bareCluster    = `{"_id":"c2","pvt_type":"customer_cluster"}`
	deletedCluster = `{"_id":"c1","pvt_type":"customer_cluster","owner":"o","name":"n","pvt_deleted":true,
		"ips":{"inbound":{"east":["0.0.0.1"]}}}`
	otherRouting = `{"_id":"c1","pvt_type":"kazoo_cluster","ips":{"inbound":{"east":["0.0.0.1"]}}}`
)

func TestRouting(t *testing.T) {
	t.Parallel()
	value := func(zone string) string { return `{"owner":"o","name":"n","zone":"` + zone + `"}` }
	tests := []struct {
		view, doc string
		want      []string
	}{
		{"listing", cluster, []string{`["c1",{"id":"c1","owner":"o","name":"n","randomize_routing":true}]`}},
		{"listing", bareCluster, []string{`["c2",{"id":"c2","randomize_routing":false}]`}},
		{"by_owner", cluster, []string{`["o",{"name":"n"}]`}},
		{"by_address", cluster, []string{`[["inbound","0.0.0.1"],` + value("east") + `]`,
			`[["inbound","0.0.0.2"],` + value("east") + `]`, `[["outbound","0.0.0.1"],` + value("east") + `]`}},
		{"by_zone", cluster, []string{`[["east","inbound"],{"ip":"0.0.0.1"}]`, `[["east","inbound"],{"ip":"0.0.0.2"}]`,
			`[["east","outbound"],{"ip":"0.0.0.1"}]`}},
		{"by_address", bareCluster, nil},
		{"by_zone", bareCluster, nil},
	}
	for _, name := range []string{"listing", "by_owner", "by_address", "by_zone"} {
		for _, doc := range []string{deletedCluster, otherRouting} {
			if got := loadView(t, "routing.json", name).run(t, doc); got != nil {
				t.Errorf("%s of %s: %s", name, doc, got)
			}
		}
	}
	for _, test := range tests {
		got := loadView(t, "routing.json", test.view).run(t, test.doc)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s of %s\n got %s\nwant %s", test.view, test.doc, got, test.want)
		}
	}
}
