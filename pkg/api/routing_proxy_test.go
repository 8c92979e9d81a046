package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestRoutingAddresses: a SIP proxy gets the addresses of its cluster, of the zone asked for first, and for both directions
// in one response. Its tag is the same as long as the document is, and it says for how long to use it.
func TestRoutingAddresses(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	sv.is(sv.want(sv.as("M", "GET", clusterPath+"/addresses?direction=inbound", ""), 200).data(), `[]`)
	sv.withClusters()
	for query, want := range map[string]string{
		"direction=inbound": `[{"ip":"192.0.2.1","zone":"east"},{"ip":"192.0.2.2","zone":"east"},{"ip":"192.0.2.3","zone":"west"}]`,
		"direction=inbound&zone=west&kazoo_cluster_id=": `[{"ip":"192.0.2.3","zone":"west"},{"ip":"192.0.2.1","zone":"east"},` +
			`{"ip":"192.0.2.2","zone":"east"}]`,
		"direction=outbound&zone=west": `[]`,
	} {
		sv.is(sv.want(sv.as("M", "GET", clusterPath+"/addresses?"+query, ""), 200).data(), want)
	}
	sv.want(sv.as("M", "PATCH", clusterPath,
		`{"data":{"randomize_routing":true,"ips":{"outbound":{"east":["192.0.2.9"]}}}}`), 200)
	const path = clusterPath + "/addresses?direction=both&zone=west"
	first := sv.want(sv.as("M", "GET", path, ""), 200)
	sv.is(first.data(), `[{"ip":"192.0.2.3","zone":"west","direction":"inbound"},`+
		`{"ip":"192.0.2.1","zone":"east","direction":"inbound"},{"ip":"192.0.2.2","zone":"east","direction":"inbound"},`+
		`{"ip":"192.0.2.9","zone":"east","direction":"outbound"}]`)
	tag := first.header.Get("ETag")
	for range 3 {
		sv.want(sv.as("M", "GET", path, "", "If-None-Match", tag), 304)
	}
	sv.want(sv.as("M", "PATCH", clusterPath, `{"data":{"ips":{"outbound":{"east":["192.0.2.8"]}}}}`), 200)
	sv.want(sv.as("M", "GET", path, "", "If-None-Match", tag), 200)
	for _, path := range []string{
		path, clusterPath + "/addresses?direction=inbound", "/v2/routing/lookup?ip=192.0.2.1",
	} {
		if age, _ := sv.want(sv.as("M", "GET", path, ""), 200).envelope["max_age_s"].(float64); age < 1 {
			t.Errorf("%s: max_age_s is %v", path, age)
		}
	}
}

// TestRoutingChanges: a SIP proxy loads all clusters once, and then asks what has changed.
func TestRoutingChanges(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	since := ""
	changed := func() (names []string) {
		t.Helper()
		a := sv.want(sv.as("M", "GET", "/v2/routing/customer_clusters?since="+url.QueryEscape(since), ""), 200)
		since, _ = a.envelope["next_since"].(string)
		for _, row := range a.data().([]any) {
			switch row := row.(map[string]any); {
			case row["deleted"] == true:
				names = append(names, "deleted "+row["id"].(string))
			case row["ips"] == nil:
				t.Errorf("a row without addresses: %s", jsonText(row))
			default:
				names = append(names, row["name"].(string))
			}
		}
		slices.Sort(names)
		return names
	}
	if got := changed(); len(got) > 0 || since == "" {
		t.Errorf("of none: %q, %q", got, since)
	}
	sv.withClusters()
	if got := changed(); !slices.Equal(got, []string{"cluster of they", "cluster of we"}) {
		t.Errorf("two new ones: %q", got)
	}
	if got := changed(); len(got) > 0 {
		t.Errorf("without a change: %q", got)
	}
	sv.want(sv.as("M", "PATCH", clusterPath, `{"data":{"name":"renamed"}}`), 200)
	sv.want(sv.as("M", "DELETE", "/v2/routing/customer_clusters/"+neighbour, ""), 200)
	if got := changed(); !slices.Equal(got, []string{"deleted " + neighbour, "renamed"}) {
		t.Errorf("one changed, one deleted: %q", got)
	}
	last := since
	since = ""
	if got := changed(); !slices.Equal(got, []string{"renamed"}) {
		t.Errorf("from the beginning: %q", got)
	}
	seq, suffix, _ := strings.Cut(last, "~")
	for _, forged := range []string{
		"x", "~", seq, seq + "~00000000", "0", last + "0", strings.Repeat("1", 5000), "9" + seq + "~" + suffix,
		"18446744073709551616~" + suffix, "1-zzzz~" + suffix,
	} {
		a := sv.want(sv.as("M", "GET", "/v2/routing/customer_clusters?since="+url.QueryEscape(forged), ""), 400)
		if text := jsonText(a.data()); !strings.Contains(text, `"since":{"invalid"`) {
			t.Errorf("%.20s: %s", forged, text)
		}
	}
}
