package api_test

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/store"
)

// burst is how many failures one address has to spare.
const burst = 60

// wrongLogin returns a login with a password that nobody has.
func wrongLogin() string {
	hash := account.HashPassword(account.MD5, "alice", "a guess").Value
	keep(hash)
	return `{"data":{"credentials":"` + hash + `","account_realm":"a.example.com"}}`
}

// slowed checks that an answer is Crossbar's to whoever asks too often.
func (sv *service) slowed(a answer) {
	sv.Helper()
	sv.want(a, 429)
	if a.envelope["error"] != "429" || a.envelope["message"] != "too_many_requests" || a.envelope["status"] != "error" ||
		a.header.Get("Content-Type") != "application/json" || a.header.Get("Access-Control-Allow-Origin") != "*" ||
		a.header.Get("Retry-After") != "1" { // N12
		sv.Errorf("%v %s", a.header, a.text)
	}
	sv.is(a.data(), `{"message":"too many requests"}`)
}

// TestThrottledLogins: who guesses passwords has to wait, however the guesses come, and nobody else has to.
func TestThrottledLogins(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	alice := users["alice"]
	sv.token("alice")
	for range burst {
		sv.want(sv.send("PUT", "/v2/user_auth", wrongLogin()), 401)
		sv.want(sv.send("GET", "/v2/nothing", ""), 401) // no token is no guess
	}
	sv.slowed(sv.send("PUT", "/v2/user_auth", wrongLogin()))
	sv.slowed(sv.send("PUT", "/v2/user_auth", alice.login()))
	sv.want(sv.send("PUT", "/v2/user_auth", `{"data":{}}`), 400) // nothing was tried

	for range burst {
		sv.want(sv.as("alice", "GET", ipsOfA, ""), 200)
	}
	sv.want(sv.send("GET", ipsOfA, "", "Authorization", alice.basic()), 200) // of an account that nobody guesses at

	sv.clock.set(sv.clock.now().Add(time.Second))
	for range 3 { // what is right costs nothing
		sv.want(sv.send("PUT", "/v2/user_auth", alice.login()), 201)
	}
	sv.want(sv.send("PUT", "/v2/user_auth", wrongLogin()), 401)
	sv.slowed(sv.send("PUT", "/v2/user_auth", alice.login()))
}

// TestThrottledKeys: so has who tries API keys, but a good one always passes, whatever else came from its address:
// fault S9.
func TestThrottledKeys(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	good, bad := `{"data":{"api_key":"`+sv.key("A")+`"}}`, `{"data":{"api_key":"`+sv.key("A")[1:]+`0"}}`
	for range burst {
		sv.want(sv.send("PUT", "/v2/user_auth", wrongLogin()), 401)
		sv.want(sv.send("PUT", "/v2/api_auth", bad), 404)
	}
	sv.slowed(sv.send("PUT", "/v2/user_auth", wrongLogin()))
	sv.slowed(sv.send("PUT", "/v2/api_auth", bad))
	token, _ := sv.want(sv.send("PUT", "/v2/api_auth", good), 201).envelope["auth_token"].(string)
	keep(token)
}

// TestThrottledTokens: so has who tries tokens, but a good one always passes, and logins have a bucket of their own.
func TestThrottledTokens(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token := sv.token("A")
	for range burst {
		sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", token+"x"), 401)
	}
	sv.slowed(sv.send("GET", ipsOfA, "", "X-Auth-Token", token+"x"))
	sv.want(sv.send("GET", "/v2/token_auth", "", "X-Auth-Token", token+"x"), 401) // about no account
	sv.want(sv.send("GET", ipsOfA, ""), 401)
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.want(sv.as("B", "GET", ipsOfA, ""), 403)
	sv.want(sv.send("GET", ipsOfA, "", "Authorization", users["alice"].basic()), 200)
}

// TestThrottledTokenInfo: asking about a token is showing it.
func TestThrottledTokenInfo(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token := sv.token("A")
	for range burst {
		sv.want(sv.send("GET", "/v2/auth/tokeninfo?token=garbage", ""), 401)
		sv.want(sv.send("GET", "/v2/auth/tokeninfo", ""), 404)
	}
	sv.slowed(sv.send("GET", "/v2/auth/tokeninfo?token=garbage", ""))
	sv.slowed(sv.send("GET", "/v2/token_auth", "", "X-Auth-Token", "garbage"))
	sv.want(sv.send("GET", "/v2/auth/tokeninfo?token="+token, ""), 200)
	sv.want(sv.send("PUT", "/v2/user_auth", users["alice"].login()), 201)
}

// TestThrottledBasic: every request with a password is a guess at it, whatever the path is about.
func TestThrottledBasic(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	wrong := users["alice"]
	wrong.password = "a guess"
	for i := range burst {
		path := fmt.Sprintf("/v2/accounts/%032x/ips", i)
		sv.want(sv.send("GET", path, "", "Authorization", wrong.basic()), 401)
	}
	for _, path := range []string{ipsOfA, "/v2/accounts/" + accountB + "/ips", "/v2/token_auth"} {
		sv.slowed(sv.send("GET", path, "", "Authorization", users["alice"].basic()))
	}
	sv.want(sv.send("GET", ipsOfA, "", "Authorization", users["bob"].basic()), 403) // nobody guesses at B's
	sv.want(sv.as("alice", "GET", ipsOfA, ""), 200)
}

// TestThrottledClients: every client has a bucket. Behind a trusted proxy that is whom the proxy speaks for; anybody
// else may write into X-Forwarded-For what they like.
func TestThrottledClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		proxies []netip.Prefix
		other   int // the status of another client's good login
	}{
		{"trusted", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, 201},
		{"not trusted", nil, 429},
	} {
		sv := kazoo(t, func(cfg *api.Config) { cfg.TrustedProxies = c.proxies })
		for range burst {
			sv.want(sv.send("PUT", "/v2/user_auth", wrongLogin(), "X-Forwarded-For", "192.0.2.1"), 401)
		}
		sv.slowed(sv.send("PUT", "/v2/user_auth", users["alice"].login(), "X-Forwarded-For", "192.0.2.1"))
		got := sv.send("PUT", "/v2/user_auth", users["alice"].login(), "X-Forwarded-For", "192.0.2.2")
		if got.status != c.other {
			t.Errorf("%s: %d, want %d", c.name, got.status, c.other)
		}
	}
}

// TestForwardedForms: the client is read from X-Forwarded-For as Azure, IIS and HAProxy write it: fault S9.
func TestForwardedForms(t *testing.T) {
	t.Parallel()
	sv := kazoo(t, func(c *api.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	for header, want := range map[string]string{
		"203.0.113.7": "203.0.113.7",
		"198.51.100.1\r\nX-Forwarded-For: 203.0.113.7": "203.0.113.7", // two headers
		"203.0.113.7:4711":                     "203.0.113.7",
		`"203.0.113.7"`:                        "203.0.113.7",
		`"203.0.113.7:4711"`:                   "203.0.113.7",
		"203.0.113.7,":                         "203.0.113.7",
		"203.0.113.7, ,":                       "203.0.113.7",
		", 203.0.113.7":                        "203.0.113.7",
		"198.51.100.1, 203.0.113.7":            "203.0.113.7",
		"203.0.113.7:4711, 10.1.1.1:80":        "203.0.113.7",
		"203.0.113.7,,10.1.1.1":                "203.0.113.7",
		"::ffff:203.0.113.7":                   "203.0.113.7",
		"[::ffff:203.0.113.7]:4711":            "203.0.113.7",
		"2001:db8::9":                          "2001:db8::9",
		"[2001:db8::9]":                        "2001:db8::9",
		"[2001:db8::9]:443":                    "2001:db8::9",
		`"[2001:db8::9]:443"`:                  "2001:db8::9",
		"fe80::1%eth0":                         "fe80::1",
		"":                                     "127.0.0.1",
		",":                                    "127.0.0.1",
		"unknown":                              "127.0.0.1",
		"203.0.113.7, unknown":                 "127.0.0.1",
		"203.0.113.7, unknown, 10.1.1.1":       "10.1.1.1",
		"[203.0.113.7]":                        "127.0.0.1",
		"[2001:db8::9":                         "127.0.0.1",
		"203.0.113.7:99999":                    "127.0.0.1",
		"203.0.113.7 198.51.100.1":             "127.0.0.1",
		"203.0.113.7:4711:4711, 203.0.113.7.1": "127.0.0.1",
	} {
		sv.send("GET", "/v2/nothing", "", "X-Forwarded-For", header)
		lines := sv.log.lines(t)
		if got := lines[len(lines)-1]["client"]; got != want {
			t.Errorf("%q: %v, want %s", header, got, want)
		}
	}
	for _, line := range sv.log.lines(t) {
		if line["level"] == "warn" {
			t.Errorf("warns of a trusted proxy: %v", line)
		}
	}
}

// TestUntrustedProxy: the log says once that a proxy is not trusted.
func TestUntrustedProxy(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for range 3 {
		sv.send("GET", "/v2/nothing", "", "X-Forwarded-For", "203.0.113.7")
	}
	warnings := 0
	for _, line := range sv.log.lines(t) {
		if line["level"] != "warn" {
			continue
		}
		warnings++
		if message, _ := line["message"].(string); line["peer"] != "127.0.0.1" || !strings.Contains(message, "--trusted-proxies") {
			t.Errorf("%v", line)
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings", warnings)
	}
}

// observed serves the recorded database, and counts what requests ask the store.
func observed(t *testing.T, changes ...func(*api.Config)) (*service, func() int) {
	t.Helper()
	var calls atomic.Int64
	s, err := store.Open("memory:", store.Options{Observe: func(c store.Call) {
		if c.Operation != "changes" { // the feeds go on all the time
			calls.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	loadRouting(t, s)
	sv := newService(t, s, append(changes, loaded(t), cached(t, s, time.Minute))...)
	return sv, func() int { return int(calls.Swap(0)) }
}

// ofKey is a token that nobody has signed, of a key of that number.
func ofKey(n int) string {
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(fmt.Sprintf(`{"alg":"RS256","kid":"%032x"}`, n))) + "." + text([]byte(`{"iss":"kazoo"}`)) + "." +
		text(make([]byte, 256))
}

// TestUnknownKeys: a key that does not exist is looked for once in a while, not for each token (S12).
func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	sv, calls := observed(t)
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", ofKey(1)), 401)
	calls()
	for range 20 {
		sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", ofKey(1)), 401)
		sv.want(sv.send("GET", "/v2/auth/tokeninfo?token="+ofKey(1), ""), 401)
	}
	if n := calls(); n > 20 {
		t.Errorf("the store was asked %d times", n)
	}
}

// TestExhaustedClients: for a client that shows only bad credentials nothing unknown is looked up any more, whatever it
// names (S12).
func TestExhaustedClients(t *testing.T) {
	t.Parallel()
	here := netip.MustParseAddr("127.0.0.1")
	sv, calls := observed(t, func(c *api.Config) {
		for n := range 600 { // what all accounts together bear
			if err := c.Throttle.FailedToken(here, fmt.Sprintf("%032x", n)); err != nil {
				t.Fatal(err)
			}
			end, err := c.Throttle.Attempt(here, fmt.Sprintf("%032x", n))
			if err != nil {
				t.Fatal(err)
			}
			end(true)
		}
	})
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	calls()
	for n := range 30 {
		basic := base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%032x:%032x", n, n)))
		sv.slowed(sv.send("GET", fmt.Sprintf("/v2/accounts/%032x/ips", n), "", "X-Auth-Token", ofKey(n)))
		sv.slowed(sv.send("GET", "/v2/auth/tokeninfo?token="+ofKey(100+n), ""))
		sv.slowed(sv.send("GET", "/v2/ips", "", "Authorization", "Basic "+basic))
		sv.slowed(sv.send("GET", clusterPath, "", "X-Auth-Token", "x", "X-Kazoo-Cluster-ID", fmt.Sprintf("%032x", n)))
	}
	if n := calls(); n > 30 {
		t.Errorf("the store was asked %d times", n)
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", sv.token("A")), 200)
}
