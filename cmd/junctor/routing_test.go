package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

const routingDocument = `{"owner":"2600hz","name":"Kazoo Sandbox","ips":{"inbound":{"west":["0.0.2.1"],
	"east":["0.0.0.1","::ffff:0.0.0.9"]},"outbound":{"east":[]}},"unknown":{"field":[1]}}`

// TestRouting does one list of tasks through the socket of a server, on a store that nobody serves, and on a
// CouchDB: they come to the same.
func TestRouting(t *testing.T) {
	t.Parallel()
	const a, b = "aa2b36ac6a5edb290159cd1298283322", "bb2b36ac6a5edb290159cd1298283322"
	const heading = "CLUSTER                           OWNER   NAME           RANDOMIZE\n"
	const rows = a + "\nowner      2600hz\nname       Kazoo Sandbox\nrandomize  false\n" +
		"inbound    east  0.0.0.1 0.0.0.9\n" +
		"inbound    west  0.0.2.1\n" +
		"outbound   east  no addresses\n"
	const line = `{"id":"` + a + `","ips":{"inbound":{"east":["0.0.0.1","0.0.0.9"],"west":["0.0.2.1"]},` +
		`"outbound":{"east":[]}},"name":"Kazoo Sandbox","owner":"2600hz","randomize_routing":false,` +
		`"unknown":{"field":[1]}}` + "\n"
	tasks := []task{
		{"routing show", "", nil, outcome{stdout: "CLUSTER  OWNER  NAME  RANDOMIZE\n"}},
		{"routing show --json", "", nil, outcome{stdout: "[]\n"}},
		{"routing show " + a, "", nil, fails(`there is no routing cluster "` + a + `"`)},
		{"routing lookup 0.0.0.1", "", nil, outcome{stdout: "no cluster has 0.0.0.1\n"}},
		{"routing lookup 0.0.0.1 --json", "", nil, outcome{stdout: "[]\n"}},
		{"routing set " + a + " FILE", "", nil, outcome{stdout: "created    " + rows}},
		{"routing set " + a + " FILE --json", "", nil, outcome{stdout: line}},
		{"routing set " + a + " -", `{"data":` + routingDocument + `}`, nil, outcome{stdout: "replaced   " + rows}},
		{"routing show " + a, "", nil, outcome{stdout: "cluster    " + rows}},
		{"routing show --json " + a, "", nil, outcome{stdout: line}},
		{"routing set " + a + " - --json", line, nil, outcome{stdout: line}},
		{"routing set " + b + " - --json", `{"name":"n","owner":"o","ips":{}}`, nil, outcome{
			stdout: `{"id":"` + b + `","ips":{},"name":"n","owner":"o","randomize_routing":false}` + "\n"}},
		{"routing set " + b + " -", `{"name":5,"ips":{"inbound":{"x":["0.0.0.1","1.2.3"]}}}`, nil,
			fails("nothing is changed:\n  ips.inbound.x.1: failed to validate (\"1.2.3\")\n" +
				"  name: Value did not match type(s): string\n  owner: Field is required but missing")},
		{"routing set " + b + " -", `{"name":"n","owner":"o","ips":{"inbound":{"x":["0.0.0.1"]}}}`, nil,
			fails("nothing is changed:\n  ips.inbound.x.0: The address belongs to another cluster (\"0.0.0.1\")")},
		{"routing set " + b + " FILE.none", "", nil, fails("open FILE.none: no such file or directory")},
		{"routing set " + b + " -", line, nil, fails("nothing is changed: the file is about cluster " + a)},
		{"routing set " + b + " -", "", nil,
			fails("the file does not hold a JSON object: unexpected end of JSON around 0")},
		{"routing set " + b + " -", "{\n\"name\" 5}", nil,
			fails("the file does not hold a JSON object: unexpected character around 9")},
		{"routing set _b -", `{"name":"n","owner":"o","ips":{}}`, nil, fails(`"_b" can't be the id of a cluster`)},
		{"routing set " + b + " -", strings.Repeat(" ", maxRoutingFile+1), nil,
			fails(fmt.Sprintf("standard input: longer than %d bytes", maxRoutingFile))},
		{"routing show", "", nil, outcome{stdout: heading + a + "  2600hz  Kazoo Sandbox  false\n" +
			b + "  o       n              false\n"}},
		{"routing show --json", "", nil, outcome{stdout: `[{"id":"` + a +
			`","owner":"2600hz","name":"Kazoo Sandbox","randomize_routing":false},{"id":"` + b +
			`","owner":"o","name":"n","randomize_routing":false}]` + "\n"}},
		{"routing lookup ::ffff:0.0.0.1", "", nil, outcome{stdout: "CLUSTER                           " +
			"OWNER   NAME           DIRECTION  ZONE\n" + a + "  2600hz  Kazoo Sandbox  inbound    east\n"}},
		{"routing lookup 0.0.2.1 --direction inbound --json", "", nil, outcome{stdout: `[{"cluster_id":"` + a +
			`","owner":"2600hz","name":"Kazoo Sandbox","direction":"inbound","zone":"west"}]` + "\n"}},
		{"routing lookup 0.0.2.1 --direction outbound", "", nil, outcome{stdout: "no cluster has 0.0.2.1 outbound\n"}},
		{"routing lookup 0.0.2", "", nil, misuses(`routing lookup: "0.0.2" is not an IP address`)},
		{"routing lookup 0.0.2.1 --direction up", "", nil,
			misuses("routing lookup: --direction: \"up\" is neither inbound nor outbound")},
		{"routing", "", nil, misuses(`routing: a command is missing; "junctor routing --help" lists them`)},
		{"routing show a b", "", nil, misuses(`routing show: unexpected "b"`)},
		{"routing set " + a, "", nil,
			misuses("routing set: an operand is missing; usage: junctor routing set CLUSTER_ID FILE [flags]")},
		{"routing lookup", "", nil,
			misuses("routing lookup: an operand is missing; usage: junctor routing lookup IP [flags]")},
	}
	file := filepath.Join(t.TempDir(), "cluster.json")
	write(t, file, routingDocument)
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			ok(t, place.args("bootstrap")...)
			place.does(t, tasks, nil, "FILE", file)
		})
	}
}

// TestRoutingLarge: a cluster as large as is read gets through the socket of a server, which has it at once.
func TestRoutingLarge(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	admin := readAdmin(t, home)
	document := `{"owner":"o","name":"n","ips":{"inbound":{"z":["192.0.2.1"]}},"quotes":"` +
		strings.Repeat(`\"`, maxRoutingFile/2-100) + `"}`
	args := []string{"routing", "set", admin.ClusterID, "-", "--store", home}
	if o := tell(t, nil, document, args...); o.code != 0 || len(document) < maxRoutingFile-1000 {
		t.Fatalf("%d bytes: %+.500v", len(document), o)
	}
	path := "/v2/routing/customer_cluster/addresses?direction=inbound"
	status, envelope := s.request("GET", path, s.login(admin.APIKey), "")
	if list, _ := envelope["data"].([]any); status != 200 || len(list) != 1 {
		t.Errorf("%d %v", status, envelope)
	}
}
