package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestIPsData: what is wrong with the data of a request is a 400 that names the paths, and changes nothing.
func TestIPsData(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s)
	sv.create("10.0.0.1", "10.0.0.2")
	for _, test := range []struct{ as, method, path, data, want string }{
		{"M", "PUT", "/v2/ips", `{}`, "host required, ip required, zone required"},
		{"M", "PUT", "/v2/ips", `{"ip":"10.0.0.9","zone":"","host":""}`, "host minLength, zone minLength"},
		{"M", "PUT", "/v2/ips", `{"ip":"hello","zone":"z","host":"h"}`, "ip not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `{"ip":"01.2.3.4","zone":"z","host":"h"}`, "ip not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `{"ip":"[::1]","zone":"z","host":"h"}`, "ip not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `{"ip":"fe80::1%eth0","zone":"z","host":"h"}`, "ip not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `{"ip":"10.0.0.0/24","zone":"z","host":"h"}`, "ip not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `{"ip":7,"zone":"z","host":"h"}`, "ip not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `{"ip":"10.0.0.9","zone":"z","host":"h","notes":["x"]}`, "notes type"},
		{"M", "DELETE", "/v2/ips/hello", ``, "ips.0 not_one_schema_valid"},
		{"A", "POST", ipsOfA + "/hello", ``, "ips.0 not_one_schema_valid"},
		{"A", "DELETE", ipsOfA + "/hello", ``, "ips.0 not_one_schema_valid"},
		{"M", "PUT", "/v2/ips", `[]`, " type"},
	} {
		sv.refuses(test.as, test.method, test.path, test.data, test.want)
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		sv.refuses("A", method, ipsOfA, `{"ips":[]}`, "ips minItems")
		sv.refuses("A", method, ipsOfA, `{"ips":"10.0.0.1"}`, "ips type")
		sv.refuses("A", method, ipsOfA, `{"ips":["10.0.0.1",7,"10.0.0.0/24"]}`,
			"ips.1 not_one_schema_valid, ips.2 not_one_schema_valid")
	}
	if free := sv.as("A", "GET", ipsOfA, "").data(); jsonText(free) !=
		`[{"ip":"10.0.0.1","zone":"us-east"},{"ip":"10.0.0.2","zone":"us-east"}]` {
		t.Errorf("available: %v", free)
	}
	// What no client can set is ignored, and an equal address exists however it is spelled.
	sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"ip":"10.0.0.3","zone":"z","host":"h","id":"x","pvt_status":"assigned"}}`), 201)
	sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"ip":"::ffff:10.0.0.3","zone":"other","host":"h"}}`), 409)
	// Responses are in the order of the request.
	sv.is(sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"ips":["10.0.0.3","10.0.0.1","::ffff:10.0.0.2"]}}`), 200).data(),
		`{"ips":["10.0.0.3","10.0.0.1","10.0.0.2"]}`)
}

// refuses wants a 400 with these findings, each "PATH CODE".
func (sv *service) refuses(as, method, path, data, want string) {
	sv.Helper()
	body := ""
	if data != "" {
		body = `{"data":` + data + `}`
	}
	a := sv.want(sv.as(as, method, path, body), 400)
	var got []string
	fields, _ := a.data().(map[string]any)
	for field, codes := range fields {
		byCode, _ := codes.(map[string]any)
		for code := range byCode {
			got = append(got, field+" "+code)
		}
	}
	if slices.Sort(got); strings.Join(got, ", ") != want {
		sv.Errorf("%s %s %s: %q, want %q", method, path, data, got, want)
	}
}
