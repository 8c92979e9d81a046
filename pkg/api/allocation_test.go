package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// createIn puts addresses of a zone into the pool.
func (sv *service) createIn(zone string, addresses ...string) {
	sv.Helper()
	for _, address := range addresses {
		body := fmt.Sprintf(`{"data":{"ip":%q,"zone":%q,"host":"h"}}`, address, zone)
		sv.want(sv.as("M", "PUT", "/v2/ips", body), 201)
	}
}

// held lists what A has of some addresses, as the API says, which has to be what the documents say.
func (sv *service) held(t *testing.T, all ...string) []string {
	t.Helper()
	held := append([]string{}, addresses(sv.list(sv.as("A", "GET", ipsOfA+"/assigned", "")))...)
	for _, address := range all {
		holder := ""
		if slices.Contains(held, address) {
			holder = accountA
		}
		wantHolder(t, sv, address, holder)
	}
	return held
}

// TestAllocation: whoever wants some addresses is given them, and told which, in the same words as one who names them.
func TestAllocation(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s, cached(t, s, staleness))
	east := []string{"10.0.0.8", "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14"}
	west := []string{"10.1.0.1", "10.1.0.2"}
	sv.createIn("us-east", east...)
	sv.createIn("us-west", west...)
	all := slices.Concat(east, west)

	// Of one zone, and of all zones in equal parts: both take all that the smaller one has.
	for _, wish := range []string{`"quantity":2,"zone":"us-west","ui_metadata":{"ui":"x"}`,
		`"quantity":4,"spread":true`} {
		a := sv.want(sv.as("A", "POST", ipsOfA, `{"data":{`+wish+`}}`), 200)
		held := sv.held(t, all...)
		if !slices.Contains(held, west[0]) || !slices.Contains(held, west[1]) {
			t.Errorf("%s: %v", wish, held)
		}
		sv.is(a.data(), `{"ips":`+jsonText(held)+`}`)
		sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200)
	}

	sv.is(sv.want(sv.as("M", "POST", ipsOfA, `{"data":{"quantity":9}}`), 200).data(), `{"ips":`+jsonText(all)+`}`)
	sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200)

	const crossbar = "?response_format=crossbar"
	chosen := sv.want(sv.as("A", "POST", ipsOfA+crossbar, `{"data":{"quantity":9}}`), 200).data()
	if held := sv.held(t, all...); !slices.Equal(held, all) {
		t.Errorf("holds %v", held)
	}
	sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200)
	named := sv.want(sv.as("A", "POST", ipsOfA+crossbar, `{"data":{"ips":`+jsonText(all)+`}}`), 200).data()
	sv.is(chosen, jsonText(named))
	success, _ := chosen.(map[string]any)["success"].(map[string]any)
	if !slices.Equal(sorted(slices.Collect(maps.Keys(success))), sorted(all)) {
		t.Errorf("Crossbar's answer: %s", jsonText(chosen))
	}
}

// TestTooFewAddresses: whoever wants more than there are learns how many there are, and gets none.
func TestTooFewAddresses(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s, cached(t, s, staleness))
	sv.createIn("us-east", "10.0.0.1", "10.0.0.2", "10.0.0.3")
	sv.createIn("us-west", "10.1.0.1")
	sv.want(sv.as("B", "POST", ipsOfB+"/10.0.0.3", ""), 200)
	sv.createIn("full", "10.2.0.1")
	sv.want(sv.as("B", "POST", ipsOfB+"/10.2.0.1", ""), 200)
	for wish, available := range map[string]int{
		`"quantity":4`: 3, `"quantity":1000`: 3, `"quantity":4,"spread":true`: 3,
		`"quantity":3,"zone":"us-east"`: 2, `"quantity":1,"zone":"full"`: 0,
	} {
		for _, format := range []string{"documented", "crossbar"} {
			a := sv.want(sv.as("A", "POST", ipsOfA+"?response_format="+format, `{"data":{`+wish+`}}`), 409)
			asked := strings.Replace(wish, `,"spread":true`, "", 1)
			sv.is(a.data(), fmt.Sprintf(`{"available":%d,%s}`, available, asked))
			if a.envelope["message"] != "not_enough_ips" || a.envelope["error"] != "409" ||
				a.envelope["status"] != "error" {
				t.Errorf("%s: %s", wish, a.text)
			}
		}
	}
	// In a zone that the pool does not have no later attempt would succeed.
	for _, format := range []string{"documented", "crossbar"} {
		a := sv.want(sv.as("A", "POST", ipsOfA+"?response_format="+format, `{"data":{"quantity":1,"zone":"nowhere"}}`), 400)
		sv.is(a.data(), `{"zone":{"not_found":{"message":"zone not found","value":"nowhere"}}}`)
	}
	if held := sv.held(t, "10.0.0.1", "10.0.0.2", "10.1.0.1"); len(held) > 0 {
		t.Errorf("holds %v", held)
	}
	if free := sv.list(sv.as("A", "GET", ipsOfA, "")); len(free) != 3 {
		t.Errorf("free are %v", free)
	}
	wantHolder(t, sv, "10.0.0.3", accountB)
}

// TestAllocationBodies: what a body with a quantity means.
func TestAllocationBodies(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.createIn("z", "10.0.0.1", "10.0.0.2")
	const none, named, all = `{"ips":[]}`, `{"ips":["10.0.0.2"]}`, `{"ips":["10.0.0.1","10.0.0.2"]}`
	const required = `{"ips":{"required":{"message":"Field is required but missing","value":"ips"}}}`
	both := func(value string) string {
		return `{"quantity":{"invalid":{"message":"quantity and ips exclude each other","value":` + value + `}}}`
	}
	const typed = `{"message":"Value did not match type(s): %[1]s","target":"%[1]s","value":%[2]s}`
	const limited = `{"message":"Value must be at %s %d","target":%[2]d,"value":%[3]d}`
	wrong := func(field, code, format string, a ...any) string {
		return fmt.Sprintf(`{%q:{%q:%s}}`, field, code, fmt.Sprintf(format, a...))
	}
	for _, c := range []struct {
		data   string
		status int
		want   string
	}{
		{`{"quantity":2}`, 200, all},
		{`{"quantity":2.0}`, 200, all}, // which JSON Schema holds for a whole number
		{`{"quantity":0.2e1}`, 200, all},
		{`{"quantity":2,"zone":"z","spread":false,"other":"x"}`, 200, all},
		{`{"quantity":2,"ips":null}`, 200, all},
		{`{"quantity":null,"ips":["10.0.0.2"]}`, 200, named},
		{`{"ips":["10.0.0.2"],"other":"x"}`, 200, named},
		{`["10.0.0.2"]`, 200, named},
		{`{}`, 200, none}, // as recorded
		{`{"ui_metadata":{"ui":"x"}}`, 200, none},

		// What could be a mistake is no success without an address: fault N7.
		{`{"qty":2}`, 400, required},
		{`{"zone":"z"}`, 400, required},
		{`{"ui_metadata":{"ui":"x"},"accept_charges":true}`, 400, required},
		{`{"quantity":2,"ips":["10.0.0.2"]}`, 400, both("2")},
		{`{"quantity":"many","zone":7,"ips":["10.0.0.2"]}`, 400, both(`"many"`)},
		{`{"quantity":2,"ips":[]}`, 400, both("2")},

		{`{"quantity":null}`, 400, wrong("quantity", "type", typed, "integer", "null")},
		{`{"quantity":0}`, 400, wrong("quantity", "minimum", limited, "least", 1, 0)},
		{`{"quantity":-1}`, 400, wrong("quantity", "minimum", limited, "least", 1, -1)},
		{`{"quantity":1001}`, 400, wrong("quantity", "maximum", limited, "most", 1000, 1001)},
		{`{"quantity":1.5}`, 400, wrong("quantity", "type", typed, "integer", "1.5")},
		{`{"quantity":"x"}`, 400, wrong("quantity", "type", typed, "integer", `"x"`)},
		{`{"quantity":[2]}`, 400, wrong("quantity", "type", typed, "integer", `[2]`)},
		{`{"quantity":true}`, 400, wrong("quantity", "type", typed, "integer", `true`)},
		{`{"quantity":1,"zone":""}`, 400, wrong("zone", "minLength",
			`{"message":"String must be at least 1 characters","target":1,"cause":"","value":""}`)},
		{`{"quantity":1,"zone":null}`, 400, wrong("zone", "type", typed, "string", "null")},
		{`{"quantity":1,"zone":["z"]}`, 400, wrong("zone", "type", typed, "string", `["z"]`)},
		{`{"quantity":1,"spread":"yes"}`, 400, wrong("spread", "type", typed, "boolean", `"yes"`)},
		{`{"quantity":1,"spread":1}`, 400, wrong("spread", "type", typed, "boolean", "1")},
	} {
		a := sv.as("A", "POST", ipsOfA, `{"data":`+c.data+`}`)
		if a.status != c.status || !sameJSON(t, a.data(), c.want) {
			t.Errorf("%s: %d %s\nwant %d %s", c.data, a.status, jsonText(a.data()), c.status, c.want)
		}
		want := none
		if c.status == 200 {
			want = c.want
		}
		if held := sv.held(t, "10.0.0.1", "10.0.0.2"); `{"ips":`+jsonText(held)+`}` != want {
			t.Errorf("%s: holds %v", c.data, held)
		}
		sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200)
	}
	// In Crossbar's format they stay what was recorded of it.
	for body, want := range map[string]string{
		`{"data":{"qty":2}}`: none, `{"data":{"zone":"z"}}`: none, `{"data":{"quantity":2,"ips":["10.0.0.2"]}}`: named,
		`{"data":{"quantity":"many","ips":["10.0.0.2"]}}`: named, `{"data":{}}`: none, "": none,
	} {
		sv.want(sv.as("A", "POST", ipsOfA+"?response_format=crossbar", body), 200)
		if held := sv.held(t, "10.0.0.1", "10.0.0.2"); `{"ips":`+jsonText(held)+`}` != want {
			t.Errorf("crossbar %s: holds %v", body, held)
		}
		sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200)
	}
	sv.is(sv.want(sv.as("A", "POST", ipsOfA+"?quantity=abc", ""), 200).data(), none)
	sv.want(sv.send("POST", ipsOfA, `{"data":{"quantity":1}}`, "X-Auth-Token", sv.token("A"),
		"Content-Type", "application/octet-stream"), 415) // it was not read
	// Nor is a number of addresses to release a wish to release all.
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"quantity":2}}`), 200)
	sv.want(sv.as("A", "DELETE", ipsOfA, `{"data":{"quantity":1}}`), 400)
	if held := sv.held(t); len(held) != 2 {
		t.Errorf("holds %v", held)
	}
}
