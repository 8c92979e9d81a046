package api_test

import (
	"testing"
	"time"
)

// TestTokenSources: where a token may stand, and which one counts where there are several. M may list /v2/ips, A
// may not, and a token that proves nothing is a 401.
func TestTokenSources(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	m, a := sv.token("M"), sv.token("A")
	for _, c := range []struct {
		name, query, body string
		headers           []string
		status            int
	}{
		{"none", "", "", nil, 401},
		{"header", "", "", []string{"X-Auth-Token", m}, 200},
		{"header in lower case", "", "", []string{"x-auth-token", m}, 200},
		{"header before query", "?auth_token=" + a, "", []string{"X-Auth-Token", m}, 200},
		{"bad header before good query", "?auth_token=" + m, "", []string{"X-Auth-Token", "garbage"}, 401},
		{"query", "?auth_token=" + m, "", nil, 200},
		{"first in query", "?auth_token=" + m + "&auth_token=" + a, "", nil, 200},
		{"envelope", "", `{"data":{},"auth_token":"` + m + `"}`, nil, 200},
		{"envelope, other spelling", "", `{"data":{},"Auth-Token":"` + m + `"}`, nil, 200},
		{"query before envelope", "?auth_token=" + a, `{"data":{},"auth_token":"` + m + `"}`, nil, 403},
		{"data", "", `{"data":{"auth_token":"` + m + `"}}`, nil, 200},
		{"data before query", "?auth_token=" + a, `{"data":{"auth_token":"` + m + `"}}`, nil, 200},
		{"data is a list", "?auth_token=" + m, `{"data":["` + a + `"]}`, nil, 200},
		{"no text", "", `{"data":{"auth_token":[1]}}`, nil, 401},
		{"authorization", "", "", []string{"Authorization", m}, 401},
		{"basic", "", "", []string{"Authorization", "Basic " + m}, 401},
		{"bearer", "", "", []string{"Authorization", "Bearer " + m}, 401},
		{"token before authorization", "", "", []string{"Authorization", "Basic x", "X-Auth-Token", m}, 200},
		{"own account named", "", "", []string{"X-Auth-Token", m, "X-Auth-Account-ID", accountM}, 200},
		{"other account named", "", "", []string{"X-Auth-Token", m, "X-Auth-Account-ID", accountA}, 401},
	} {
		got := sv.send("GET", "/v2/ips"+c.query, c.body, c.headers...)
		if got.status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, got.status, c.status, got.text)
		}
	}
}

// TestExpiredToken: a token that was good once ends a request before anything is said of the path, except where a
// new one is fetched.
func TestExpiredToken(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token, key := sv.token("A"), sv.key("A")
	sv.clock.set(recorded.Add(3599 * time.Second))
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.clock.set(recorded.Add(3600 * time.Second))
	for _, c := range [][2]string{
		{"GET", ipsOfA}, {"GET", "/v2/nothing"}, {"PATCH", ipsOfA}, {"GET", "/v2/ips"}, {"OPTIONS", ipsOfA},
	} {
		a := sv.want(sv.send(c[0], c[1], "", "X-Auth-Token", token), 401)
		if a.envelope["message"] != "invalid credentials" || jsonText(a.data()) != "{}" {
			t.Errorf("%v: %s", c, a.text)
		}
	}
	sv.want(sv.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+key+`"}}`, "X-Auth-Token", token), 201)
	sv.want(sv.send("POST", ipsOfA, `{`, "X-Auth-Token", token), 400)
}

// TestForeignAddress: of an address that another account holds, nobody else learns more than of one that does not
// exist.
func TestForeignAddress(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5")
	sv.want(sv.as("B", "POST", "/v2/accounts/"+accountB+"/ips/1.2.3.4", ""), 200)
	sv.want(sv.as("A", "POST", "/v2/accounts/"+accountA1+"/ips/1.2.3.5", ""), 200)
	hidden := sv.want(sv.as("A", "GET", ipsOfA+"/1.2.3.4", ""), 404)
	sv.is(hidden.data(), `{"cause":"1.2.3.4","message":"bad identifier"}`)
	sv.want(sv.as("A", "GET", ipsOfA+"/1.2.3.5", ""), 200) // of a descendant
	sv.want(sv.as("M", "GET", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(sv.as("M", "GET", "/v2/ips/1.2.3.4", ""), 200)
	sv.is(sv.as("M", "GET", "/v2/ips/assigned", "").data(), `[
		{"ip":"1.2.3.4","zone":"us-east","assigned_to":"`+accountB+`"},
		{"ip":"1.2.3.5","zone":"us-east","assigned_to":"`+accountA1+`"}]`)
}
