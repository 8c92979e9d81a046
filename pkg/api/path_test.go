package api_test

import (
	"slices"
	"strings"
	"testing"
)

// TestPaths: which path is which resource, and which error wins where there is none.
func TestPaths(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "2001:db8::1")
	const a = "/v2/accounts/" + accountA
	for _, c := range []struct {
		name, method, path string
		status             int
		message            string
	}{
		{"A", "GET", a + "/ips/", 200, ""},
		{"A", "GET", a + "/ips///", 200, ""},
		{"A", "GET", a + "//ips", 404, "not_found"}, // K6
		{"A", "GET", a + "/ips//1.2.3.4", 404, "not_found"},
		{"A", "DELETE", a + "/ips//1.2.3.4", 404, "not_found"},
		{"M", "GET", "/v2/ips//1.2.3.4", 404, "not_found"},
		{"M", "GET", "/v2//ips/1.2.3.4", 404, "not_found"},
		{"A", "GET", a + "/ips/1.2.3.4/", 200, ""},
		{"A", "GET", "/v2/account/ips", 200, ""},
		{"", "GET", "/v2/account/ips", 401, "invalid_credentials"},
		{"A", "GET", a + "/%69ps", 200, ""},
		{"A", "GET", a + "/ips/2001:db8::1", 200, ""},
		{"A", "GET", a + "/ips/2001%3Adb8%3A%3A1", 200, ""},
		{"A", "GET", a + "/ips/2001:DB8:0::1", 200, ""},
		{"A", "GET", a + "/ips/[2001:db8::1]", 200, ""},
		{"A", "GET", a + "/ips/%5B2001:db8::1%5D", 200, ""},
		{"A", "GET", a + "/ips/%5B1.2.3.4%5D", 404, "bad_identifier"},
		{"A", "GET", a + "/ips/::ffff:1.2.3.4", 200, ""},
		{"A", "GET", a + "/ips/1.2.3.04", 404, "bad_identifier"},
		{"A", "GET", a + "/ips/fe80::1%25eth0", 404, "bad_identifier"},
		{"A", "GET", a + "/ips/1.2.3.4%2F32", 404, "bad_identifier"},
		{"A", "GET", a + "/ips/..", 404, "bad_identifier"},
		{"A", "GET", a + "/ips/_design%2Fdedicated_ips", 404, "bad_identifier"},
		{"A", "GET", a + "/ips/+1.2.3.4", 404, "bad_identifier"},
		{"A", "POST", a + "/ips/_design%2Fdedicated_ips", 400, "validation error"},
		{"M", "DELETE", "/v2/ips/_design%2Fdedicated_ips", 400, "validation error"},
		{"A", "GET", a + "/ips/zones/x", 404, "not_found"},
		{"A", "GET", a + "/ips/1.2.3.4/x", 404, "not_found"},
		{"A", "GET", a + "/ips/1.2.3.4%2Fx", 404, "bad_identifier"},
		{"A", "GET", "/v3/accounts/" + accountA + "/ips", 200, ""},
		{"A", "GET", "/v%32/accounts/" + accountA + "/ips", 200, ""},
		{"A", "GET", "/v02/accounts/" + accountA + "/ips", 200, ""},
		{"A", "GET", "/v99/accounts/" + accountA + "/ips", 200, ""},
		{"A", "GET", "/v1/accounts/" + accountA + "/ips", 410, "gone"},
		{"", "GET", "/v1", 410, "gone"},
		{"", "DELETE", "/v01/ips", 410, "gone"},
		{"A", "GET", "/v0/ips", 404, "not_found"},
		{"A", "GET", "/", 404, "not_found"},
		{"A", "GET", "/ips", 404, "not_found"},
		{"A", "GET", "/vX/ips", 404, "not_found"},
		{"A", "GET", "/v2x/ips", 404, "not_found"},
		{"A", "GET", "//v2/ips", 404, "not_found"},
		{"", "GET", "/v2", 401, "invalid_credentials"},
		{"A", "GET", "/v2", 404, "not_found"},
		{"", "GET", "/v2//ips", 401, "invalid_credentials"},
		{"M", "GET", "/v2//ips", 404, "not_found"},
		{"", "GET", "/v2/nothing", 401, "invalid_credentials"},
		{"A", "GET", "/v2/accounts", 404, "not_found"},
		{"", "GET", "/v2/accounts//ips", 401, "invalid_credentials"},
		{"A", "GET", "/v2/accounts//ips", 404, "bad identifier"},
		{"A", "GET", "/v2/accounts/xyz/ips", 404, "bad identifier"},
		{"", "GET", "/v2/accounts/xyz/ips", 401, "invalid_credentials"},
		{"A", "GET", "/v2/accounts/" + strings.Repeat("f", 32) + "/ips", 404, "bad_identifier"},
		{"", "GET", "/v2/accounts/" + strings.Repeat("f", 32) + "/ips", 401, "invalid_credentials"},
		{"A", "GET", "/v2/accounts/" + strings.ToUpper(accountA) + "/ips", 404, "bad_identifier"},
		{"A", "GET", "/v2/accounts/" + strings.Repeat("%2F", 32) + "/ips", 404, "bad_identifier"},
		{"A", "GET", "/v2/accounts/" + accountA1 + "/ips", 200, ""},
		{"A", "GET", "/v2/accounts/" + accountM + "/ips", 403, "forbidden"},
		{"B", "GET", a + "/ips", 403, "forbidden"},
		{"M", "GET", a + "/ips", 200, ""},
		{"A", "GET", "/v2/ips/zones", 403, "forbidden"},
		{"", "GET", "/v2/ips/zones", 401, "invalid_credentials"},
		{"", "GET", a + "/ips/x/y", 404, "not_found"},
		{"A", "GET", "/v2/IPS", 404, "not_found"},
		{"A", "GET", a + "/ips/%zz", 400, ""},
		{"A", "GET", a + "/ips?zone=%zz", 400, "parse_error"},
		{"A", "GET", a + "/ips?a;b", 200, ""}, // P10
		{"A", "GET", a + "/ips?" + strings.Repeat("x", 7000), 200, ""},
		{"A", "GET", a + "/ips?" + strings.Repeat("x", 8000), 414, "uri_too_long"},
		{"A", "HEAD", a + "/ips", 405, ""},
		{"", "PATCH", a + "/ips/1.2.3.4", 405, "invalid_method"},
		{"", "DELETE", "/v2/ips", 405, "invalid_method"},
		{"M", "POST", "/v2/ips", 405, "invalid_method"},
		{"M", "POST", "/v2/ips/1.2.3.4", 405, "invalid_method"},
		{"", "POST", a + "/ips/zones", 405, "invalid_method"},
		{"", "OPTIONS", a + "/ips", 405, "invalid_method"},
		{"", "GET", "/v2/api_auth", 405, "invalid_method"},
		{"", "TRACE", a + "/ips", 501, "not_implemented"},
		{"", "PROPFIND", a + "/ips", 501, "not_implemented"},
	} {
		var headers []string
		if c.name != "" {
			headers = []string{"X-Auth-Token", sv.token(c.name)}
		}
		for range 2 { // known paths lead where they did
			got := sv.send(c.method, c.path, "", headers...)
			message, _ := got.envelope["message"].(string)
			if got.status != c.status || message != c.message {
				t.Errorf("%q %s %.100s: %d %q, want %d %q", c.name, c.method, c.path, got.status, message, c.status, c.message)
			}
		}
	}
}

// TestSemicolon: it is a character of a value, as in Crossbar's web server (P10).
func TestSemicolon(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for i, zone := range []string{"a", "a;b"} {
		sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"ip":"1.2.3.`+itoa(i+1)+`","zone":"`+zone+`","host":"h"}}`), 201)
	}
	for path, want := range map[string]string{
		"?zone=a;b": "1.2.3.2", "?zone=a%3Bb": "1.2.3.2", "?zone=a&x=;": "1.2.3.1", "?x;zone=b&zone=a": "1.2.3.1",
	} {
		got := addresses(sv.list(sv.want(sv.as("A", "GET", ipsOfA+path, ""), 200)))
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	a := sv.want(sv.as("A", "POST", ipsOfA, "data=a;b", form...), 400)
	sv.is(a.data(), `{"data":{"type":{"message":"Value did not match type(s): object, array","target":"object, array",
		"value":"a;b"}}}`)
}

// TestTunnel: a POST may carry another method, and no other method may: a link must not delete.
func TestTunnel(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4")
	const one = ipsOfA + "/1.2.3.4"
	for _, c := range []struct {
		method, path, body string
		status             int
		state              string // of the address, afterwards
	}{
		{"POST", one, "", 200, "assigned"},
		{"GET", one + "?verb=DELETE", "", 405, "assigned"},
		{"PUT", one + "?verb=DELETE", "", 405, "assigned"},
		{"POST", one + "?verb=patch", "", 405, "assigned"},
		{"POST", one + "?verb=get", "", 200, "assigned"},
		{"POST", one + "?verb=POST", "", 400, "assigned"},
		{"POST", one + "?verb", "", 400, "assigned"}, // true, and no text
		{"GET", one + "?verb=GET", "", 200, "assigned"},
		{"POST", one + "?verb=HEAD", "", 405, "assigned"},
		{"POST", one + "?verb=FOO", "", 405, "assigned"},
		{"POST", one + "?verb=delete", "", 200, "available"},
		{"POST", one, `{"data":{}}`, 200, "assigned"},
		{"POST", one, `{"data":{},"verb":"DELETE"}`, 200, "available"},
		{"POST", one, `{"data":{"verb":"GET"},"verb":"DELETE"}`, 200, "available"},
		{"POST", one + "?verb=GET", `{"data":{},"verb":"DELETE"}`, 200, "available"},
		{"POST", one, `{"data":{},"verb":5}`, 200, "assigned"},
	} {
		a := sv.as("A", c.method, c.path, c.body)
		state := sv.as("A", "GET", one, "").data().(map[string]any)["status"]
		if a.status != c.status || state != c.state {
			t.Errorf("%+v: %d, %s", c, a.status, state)
		}
	}
	// A tunnelled PUT is no 201 where Crossbar names no Location, and is one for a login.
	sv.want(sv.as("M", "POST", "/v2/ips?verb=PUT", `{"data":{"ip":"1.2.3.5","zone":"z","host":"h"}}`), 200)
	login := sv.want(sv.send("POST", "/v2/api_auth?verb=PUT", `{"data":{"api_key":"`+sv.key("A")+`"}}`), 201)
	if got := login.header.Get("Location"); got != "/v2/api_auth/"+accountA {
		t.Errorf("location %q", got)
	}
}
