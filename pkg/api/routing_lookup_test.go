package api_test

import (
	"net/url"
	"strings"
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/auth"
)

// Another cluster that has its documents with us.
const neighbour = "bb2b36ac6a5edb290159cd1298283322"

// lookups is what is asked of the clusters that withClusters makes.
var lookups = []struct {
	query  string
	own    string // what a master hears, of its own cluster
	others string // what the super_master hears besides
}{
	{"ip=192.0.2.1", `{"cluster_id":"OWN","owner":"we","name":"cluster of we","direction":"inbound","zone":"east"}`,
		`{"cluster_id":"OTHER","owner":"they","name":"cluster of they","direction":"outbound","zone":"west"}`},
	{"ip=192.0.2.1&direction=inbound",
		`{"cluster_id":"OWN","owner":"we","name":"cluster of we","direction":"inbound","zone":"east"}`, ""},
	{"ip=192.0.2.1&direction=outbound", "",
		`{"cluster_id":"OTHER","owner":"they","name":"cluster of they","direction":"outbound","zone":"west"}`},
	{"ip=%3A%3Affff%3A192.0.2.1&direction=inbound",
		`{"cluster_id":"OWN","owner":"we","name":"cluster of we","direction":"inbound","zone":"east"}`, ""},
	{"ip=2001:DB8:0::1", "",
		`{"cluster_id":"OTHER","owner":"they","name":"cluster of they","direction":"inbound","zone":"w%2F%20st"}`},
	{"ip=192.0.2.77", "", ""},
	{"ip=192.0.2.77&direction=inbound", "", ""},
}

// withClusters makes the own cluster and a neighbour.
func (sv *service) withClusters() {
	sv.Helper()
	sv.have(documentedCluster, "we", `{"inbound":{"east":["192.0.2.1","192.0.2.2"],"west":["192.0.2.3"]},"outbound":{}}`)
	sv.have(neighbour, "they",
		`{"inbound":{"w%2F%20st":["2001:db8::1"]},"outbound":{"west":["::ffff:192.0.2.1"]}}`)
}

// TestRoutingLookup: the super_master hears whose an address is, a master whether it is its own.
func TestRoutingLookup(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	sv.withClusters()
	elsewhere := newService(t, sv.store, loaded(t), func(c *api.Config) {
		c.Tokens = auth.NewAuthenticator(sv.store, auth.Options{Now: c.Now, MasterCluster: strangeCluster})
	})
	ids := strings.NewReplacer("OWN", documentedCluster, "OTHER", neighbour)
	for _, l := range lookups {
		path := "/v2/routing/lookup?" + l.query
		both := strings.Trim(l.own+","+l.others, ",")
		sv.is(sv.want(sv.as("M", "GET", path, ""), 200).data(), "["+ids.Replace(both)+"]")
		elsewhere.is(elsewhere.want(elsewhere.as("M", "GET", path, ""), 200).data(), "["+ids.Replace(l.own)+"]")
		elsewhere.want(elsewhere.as("M", "GET", clustersPath+"/"+neighbour, ""), 403)
	}
}

// TestRoutingLookupFollows: a look-up knows at once what this server wrote.
func TestRoutingLookupFollows(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	holder := func(ip string) any {
		list, _ := sv.want(sv.as("M", "GET", "/v2/routing/lookup?ip="+ip, ""), 200).data().([]any)
		if len(list) == 0 {
			return nil
		}
		return list[0].(map[string]any)["cluster_id"]
	}
	sv.withClusters()
	sv.want(sv.as("M", "PATCH", clusterPath, `{"data":{"ips":{"inbound":{"east":["192.0.2.9"]}}}}`), 200)
	sv.want(sv.as("M", "DELETE", clustersPath+"/"+neighbour, ""), 200)
	for ip, want := range map[string]any{
		"192.0.2.9": documentedCluster, "192.0.2.3": documentedCluster, "192.0.2.1": nil, "2001:db8::1": nil,
	} {
		if got := holder(ip); got != want {
			t.Errorf("%s: %v, want %v", ip, got, want)
		}
	}
}

// TestRoutingAddresses: the zone asked for comes first, then the others by name.
func TestRoutingAddresses(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	ask := func(query string) any {
		return sv.want(sv.as("M", "GET", clusterPath+"/addresses?"+query, ""), 200).data()
	}
	sv.is(ask("direction=inbound"), `[]`)
	sv.withClusters()
	const east = `{"ip":"192.0.2.1","zone":"east"},{"ip":"192.0.2.2","zone":"east"}`
	const west = `{"ip":"192.0.2.3","zone":"west"}`
	for query, want := range map[string]string{
		"direction=inbound":                              east + "," + west,
		"direction=inbound&zone=east":                    east + "," + west,
		"direction=inbound&zone=west":                    west + "," + east,
		"direction=inbound&zone=mars":                    east + "," + west,
		"direction=outbound&zone=west":                   "",
		"direction=inbound&kazoo_cluster_id=":            east + "," + west,
		"zone=west&ip=192.0.2.3&direction=inbound&more=": west + "," + east,
	} {
		sv.is(ask(query), "["+want+"]")
	}
	sv.want(sv.as("M", "PATCH", clusterPath, `{"data":{"randomize_routing":true}}`), 200)
	for range 20 {
		list := ask("direction=inbound&zone=west").([]any)
		if len(list) != 3 || list[0].(map[string]any)["zone"] != "west" {
			t.Fatalf("shuffled across zones: %s", jsonText(list))
		}
	}
}

// TestRoutingParameters: what is missing or makes no sense is said in Crossbar's words.
func TestRoutingParameters(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	required := func(field string) string {
		return `{"` + field + `":{"required":{"message":"Field is required but missing","value":"` + field + `"}}}`
	}
	notOne := func(ip string) string {
		return `{"ip":{"not_one_schema_valid":{"message":"failed to validate","value":` + jsonText(ip) + `}}}`
	}
	direction := func(value string) string {
		return `{"direction":{"enum":{"message":"Value not found in enumerated list of values",` +
			`"target":["inbound","outbound"],"value":"` + value + `"}}}`
	}
	const lookup, addresses = "/v2/routing/lookup", clusterPath + "/addresses"
	tests := map[string]string{
		lookup:                                required("ip"),
		lookup + "?ip=":                       required("ip"),
		lookup + "?direction=inbound":         required("ip"),
		lookup + "?ip=192.0.2.1&direction=in": direction("in"),
		addresses:                             required("direction"),
		addresses + "?direction=":             required("direction"),
		addresses + "?zone=east":              required("direction"),
		addresses + "?direction=INBOUND":      direction("INBOUND"),
	}
	for _, bad := range []string{"192.0.2", "192.0.2.01", "192.0.2.0/24", "[::1]", "fe80::1%eth0", "x", "192.0.2.1 "} {
		tests[lookup+"?ip="+url.QueryEscape(bad)] = notOne(bad)
	}
	for path, want := range tests {
		got := sv.want(sv.as("M", "GET", path, ""), 400)
		if sv.is(got.data(), want); got.envelope["message"] != "validation error" {
			t.Errorf("%s: %s", path, got.text)
		}
	}
}

// TestRoutingNotLoaded: before the clusters are read, nobody is told that an address is nobody's.
func TestRoutingNotLoaded(t *testing.T) {
	t.Parallel()
	s := routingTemplate.Open(t)
	sv := newService(t, s)
	for _, path := range []string{"/v2/routing/lookup?ip=192.0.2.1", clusterPath + "/addresses?direction=inbound"} {
		got := sv.want(sv.as("M", "GET", path, ""), 503)
		if got.envelope["message"] != "datastore_unreachable" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", path, got.text)
		}
	}
}

// TestRoutingBodies: what is wrong with a document is said by its path in it.
func TestRoutingBodies(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	sv.withClusters()
	for body, want := range map[string]string{
		`{"data":[]}`: `{"":{"type":{"message":"Value did not match type(s): object","target":"object","value":[]}}}`,
		`{"data":{"owner":"o","name":"n","ips":{"inbound":{"east":["192.0.2.1"]}}}}`: `{"ips.inbound.east.0":{` +
			`"unique":{"message":"The address belongs to another cluster","value":"192.0.2.1"}}}`,
		`{"data":{"owner":"o","name":"n","ips":{"inbound":{"a":["192.0.2.8"],"b":["::ffff:192.0.2.8"]}}}}`: `{` +
			`"ips.inbound.b.0":{"unique":{"message":"The address is also at ips.inbound.a.0","value":"::ffff:192.0.2.8"}}}`,
		`{"data":{"owner":"o","name":"n","ips":{"inbound":{"a.b":["192.0.2.8","x"]}}}}`: `{"ips.inbound.a%2Eb.1":{` +
			`"not_one_schema_valid":{"message":"failed to validate","value":"x"}}}`,
	} {
		got := sv.want(sv.as("M", "PUT", clustersPath+"/"+strangeCluster, body), 400)
		sv.is(got.data(), want)
	}
	sv.want(sv.as("M", "PUT", clusterPath, `{"data":{"owner":"o","name":"n","ips":{}}}`), 409)
	sv.want(sv.as("M", "PUT", clustersPath+"/"+strangeCluster, `{"data":{"owner":"o","name":"n","ips":{}}}`,
		"If-Match", "*"), 412)
	sv.want(sv.as("M", "GET", clustersPath+"/"+strangeCluster, ""), 404)
}
