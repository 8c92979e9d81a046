package api_test

import (
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

// TestRoutingParameters: what is missing or makes no sense is said in Crossbar's words.
func TestRoutingParameters(t *testing.T) {
	t.Parallel()
	sv := serveRouting(t)
	required := func(field string) string {
		return `{"` + field + `":{"required":{"message":"Field is required but missing","value":"` + field + `"}}}`
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
		lookup + "?ip=[::1]":                  `{"ip":{"not_one_schema_valid":{"message":"failed to validate","value":"[::1]"}}}`,
		addresses:                             required("direction"),
		addresses + "?direction=":             required("direction"),
		addresses + "?zone=east":              required("direction"),
		addresses + "?direction=INBOUND":      direction("INBOUND"),
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
