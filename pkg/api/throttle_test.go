package api_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
)

// burst is how many failures one address has to spare.
const burst = 60

// wrongLogin answers a login with a password that nobody has.
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
		a.header.Get("Content-Type") != "application/json" || a.header.Get("Access-Control-Allow-Origin") != "*" {
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
	for i := range burst {
		if i%2 == 0 {
			sv.want(sv.send("PUT", "/v2/user_auth", wrongLogin()), 401)
		} else {
			sv.want(sv.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+sv.key("A")[1:]+`0"}}`), 404)
		}
		sv.want(sv.send("GET", "/v2/nothing", ""), 401) // no token is no guess
	}
	sv.slowed(sv.send("PUT", "/v2/user_auth", wrongLogin()))
	sv.slowed(sv.send("PUT", "/v2/user_auth", alice.login()))
	sv.slowed(sv.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+sv.key("A")+`"}}`))
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
	sv.clock.set(sv.clock.now().Add(time.Minute))
	for range burst {
		sv.want(sv.send("PUT", "/v2/user_auth", wrongLogin()), 401)
	}
	sv.slowed(sv.send("PUT", "/v2/user_auth", wrongLogin()))
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
	sv.clock.set(sv.clock.now().Add(time.Second))
	sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", token+"x"), 401)
	sv.slowed(sv.send("GET", ipsOfA, "", "X-Auth-Token", token+"x"))
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
