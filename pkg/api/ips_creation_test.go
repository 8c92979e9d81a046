package api_test

import (
	"strings"
	"testing"
)

// TestCreateMany: PUT of many addresses creates what it can, and says of the rest what is wrong.
func TestCreateMany(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s)
	sv.create("10.0.0.1")
	const body = `{"data":{"zone":"east","host":"h1","ips":[
		{"ip":"10.0.0.1"},{"ip":"10.0.0.1","zone":"us-east","host":"proxy1.us-east.myswitch.com"},
		{"cidr":"10.0.1.0/30","notes":"rack 7"},{"range":"2001:db8::1-2001:db8::2","zone":"west"},
		{"cidr":"10.0.2.0/31","all":true},
		{"ip":"hello"},{"cidr":"10.0.0.1/24"},{"ip":"10.0.0.2","cidr":"10.0.3.0/30"},{},
		{"ip":"10.0.0.3","zone":""},{"ip":5,"host":6},"10.0.0.4",{"cidr":"10.0.0.0/8"}]}}`
	const created = `{"created":["10.0.1.1","10.0.1.2","2001:db8::1","2001:db8::2","10.0.2.0","10.0.2.1"],"unchanged":["10.0.0.1"],
		"refused":{
		"0":{"exists":{"message":"the pool has it with another zone or host","value":"10.0.0.1"}},
		"5":{"invalid":{"message":"ip must be an IPv4 or IPv6 address","value":"hello"}},
		"6":{"invalid":{"message":"cidr has host bits set: the network is 10.0.0.0/24","value":"10.0.0.1/24"}},
		"7":{"invalid":{"message":"exactly one of ip, cidr and range must be given","value":"10.0.0.2"}},
		"8":{"invalid":{"message":"exactly one of ip, cidr and range must be given","value":""}},
		"9":{"invalid":{"message":"zone: String must be at least 1 characters","value":""}},
		"10":{"invalid":{"message":"host: Value did not match type(s): string","value":6}},
		"11":{"invalid":{"message":"Value did not match type(s): object","value":"10.0.0.4"}},
		"12":{"too_many":{"message":"a request must not have more than 20000 addresses","value":"10.0.0.0/8"}}}}`
	before, _, err := s.Position(t.Context(), "dedicated_ips")
	if err != nil {
		t.Fatal(err)
	}
	sv.is(sv.want(sv.as("M", "PUT", "/v2/ips?dry_run=true", body), 200).data(), created)
	if after, _, err := s.Position(t.Context(), "dedicated_ips"); err != nil || numberOf(after) != numberOf(before) {
		t.Errorf("the update sequence was %s, is %s after a dry run, %v", before, after, err)
	}
	sv.is(sv.want(sv.as("M", "PUT", ipsOfA, body), 201).data(), created)
	sv.is(sv.want(sv.as("M", "GET", "/v2/ips/2001:db8::2", ""), 200).data(), `{"id":"2001:db8::2","ip":"2001:db8::2",
		"zone":"west","host":"h1","status":"available","type":"dedicated_ip"}`)
	again := sv.want(sv.as("M", "PUT", "/v2/ips?dry_run=false", body), 201).data()
	if got := jsonText(again.(map[string]any)["created"]); got != "[]" {
		t.Errorf("created again: %s", got)
	}
	sv.want(sv.as("A", "PUT", "/v2/ips", body), 403)
	sv.want(sv.as("A", "PUT", ipsOfA, body), 403)
}

// numberOf returns the number of an update sequence. What CouchDB adds to it may differ without a write.
func numberOf(sequence string) string {
	number, _, _ := strings.Cut(sequence, "-")
	return number
}

// TestCreateManyRefused: what is wrong around the entries refuses the request, and nothing is created.
func TestCreateManyRefused(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	many := func(n int) string {
		return `{"zone":"z","host":"h","ips":[` + strings.TrimSuffix(strings.Repeat(`{"ip":"10.0.0.1"},`, n), ",") + `]}`
	}
	for _, test := range []struct{ data, want string }{
		{`{"ips":[]}`, "ips minItems"},
		{`{"ips":[{"cidr":"10.0.0.0/20"}],"zone":"` + strings.Repeat("z", 1025) + `","host":"h"}`, "zone maxLength"},
		{`{"ips":[{"cidr":"10.0.0.0/20"}],"zone":"z","host":"` + strings.Repeat("h", 1025) + `"}`, "host maxLength"},
		{`{"ips":null}`, "ips type"},
		{`{"ips":"10.0.0.1"}`, "ips type"},
		{`{"ips":[{"ip":"10.0.0.1"}],"zone":"","host":5}`, "host type, zone minLength"},
		{`{"ips":[{"ip":"10.0.0.1"}],"ip":"10.0.0.2","zone":"z","host":"h"}`, "ip invalid"},
		{many(4901), "ips maxItems"},
	} {
		sv.refuses("M", "PUT", "/v2/ips", test.data, test.want)
	}
	sv.refuses("M", "PUT", "/v2/ips?dry_run=yes", many(1), "dry_run invalid")
	sv.refuses("M", "PUT", "/v2/ips?dry_run=true", `{"ip":"10.0.0.1","zone":"z","host":"h"}`, "dry_run invalid")
	sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":`+many(1)+`}`, "If-Match", `"1-a"`), 412)
	if free := sv.as("M", "GET", "/v2/ips", "").data(); jsonText(free) != `[]` {
		t.Errorf("available: %v", free)
	}
	sv.is(sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":`+many(4900)+`}`), 201).data(),
		`{"created":["10.0.0.1"],"unchanged":[],"refused":{}}`)
}
