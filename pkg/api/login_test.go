package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/document"
)

// TestNoLogins: where tokens are not issued there are no logins, but tokens are good and can be asked about.
func TestNoLogins(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	key, alice, token := sv.key("A"), users["alice"], sv.token("alice")
	sv = newService(t, sv.store, func(c *api.Config) { c.IssueTokens = false })
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/v2/api_auth", `{"data":{"api_key":"` + key + `"}}`},
		{"PUT", "/v2/user_auth", alice.login()},
		{"GET", "/v2/user_auth", ""},
	} {
		sv.is(sv.want(sv.send(c.method, c.path, c.body), 401).data(), `{"message":"invalid credentials"}`)
		sv.is(sv.want(sv.send(c.method, c.path, c.body, "X-Auth-Token", token), 404).data(), `{"message":"not found"}`)
	}
	const refresh = `{"data":{"action":"refresh_token"}}`
	sv.want(sv.send("PUT", "/v2/auth", refresh), 404) // the noun is known, for what is below it
	sv.want(sv.send("PUT", "/v2/auth", refresh, "X-Auth-Token", token), 404)

	sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", token), 200)
	sv.want(sv.send("GET", ipsOfA, "", "Authorization", alice.basic()), 200)
	shown := sv.want(sv.send("GET", "/v2/token_auth", "", "X-Auth-Token", token), 200).data().(map[string]any)
	if shown["owner_id"] != alice.id || shown["method"] != "cb_user_auth" || shown["account_name"] != "Account A" {
		t.Errorf("token_auth: %v", shown)
	}
	sv.want(sv.send("DELETE", "/v2/token_auth", "", "X-Auth-Token", token), 200)
	for _, a := range []answer{
		sv.send("GET", "/v2/auth/tokeninfo?token="+token, ""),
		sv.send("POST", "/v2/auth/tokeninfo", `{"data":{"token":"`+token+`"}}`),
	} {
		if info := sv.want(a, 200).data().(map[string]any); info["owner_id"] != alice.id || info["exp"] != nil {
			t.Errorf("tokeninfo: %v", info)
		}
	}
}

// TestTokenInfoReasons: whoever asks about a token that is no good is told Kazoo's word for why.
func TestTokenInfoReasons(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	token := sv.token("alice")
	ask := func(token, reason string) {
		t.Helper()
		a := sv.want(sv.send("POST", "/v2/auth/tokeninfo", `{"data":{"token":"`+token+`"}}`), 401)
		if a.envelope["message"] != reason || jsonText(a.data()) != "{}" {
			t.Errorf("%s: %s", reason, a.text)
		}
	}
	ask("garbage", "invalid_jwt")
	ask(token[:len(token)-8]+"AAAAAAAA", "invalid_jwt_signature")
	sv.clock.set(recorded.Add(time.Hour))
	ask(token, "token_expired")
}

// TestRefresh: a good token is good for another, which lasts longer.
func TestRefresh(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	old := sv.token("alice")
	sv.clock.set(recorded.Add(30 * time.Minute))
	const refresh = `{"data":{"action":"refresh_token"}}`
	a := sv.want(sv.send("PUT", "/v2/auth", refresh, "X-Auth-Token", old), 201)
	token, _ := a.envelope["auth_token"].(string)
	keep(token)
	if data := a.data().(map[string]any); token == old || data["owner_id"] != users["alice"].id {
		t.Errorf("%s", a.text)
	}
	sv.clock.set(recorded.Add(80 * time.Minute))
	sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", token), 200)
	sv.want(sv.send("GET", ipsOfA, "", "X-Auth-Token", old), 401)
	sv.want(sv.send("PUT", "/v2/auth", refresh, "X-Auth-Token", old), 401)
	sv.want(sv.send("PUT", "/v2/auth", `{"data":{}}`, "X-Auth-Token", token), 400)
}

// TestTrialOver: of an account whose trial is over every request ends before anything is said of its path, except a
// login, which says so itself.
func TestTrialOver(t *testing.T) {
	t.Parallel()
	f := found(t)
	trial := f.account("trial", "")
	token := f.byPassword(trial.Realm, "boss", "")
	f.changeAccount(trial.ID, func(doc document.Document) { doc["pvt_trial_expires"] = 63900000000 })
	const told = `{"account":{"expired":{"message":"account expired","cause":63900000000}}}`
	for _, c := range [][2]string{
		{"GET", "/v2/accounts/" + trial.ID + "/ips"}, {"GET", "/v2/nothing"}, {"PATCH", "/v2/ips"}, {"GET", "/v2/ips"},
	} {
		f.is(f.want(f.send(c[0], c[1], "", "X-Auth-Token", token), 400).data(), told)
	}
	hash := account.HashPassword(account.MD5, "boss", f.password("boss")).Value
	f.is(f.want(f.send("PUT", "/v2/user_auth", `{"data":{"credentials":"`+hash+`","realm":"trial.test"}}`), 400).data(),
		told)
	f.byKey(trial.APIKey)
}

// TestMonsterLogin: a user of Monster UI mistypes the password, gets it right and works; then the password is
// changed, and the token is no good any more, on no server of the store.
func TestMonsterLogin(t *testing.T) {
	t.Parallel()
	f := found(t)
	customer := f.account("customer", "")
	other := newService(t, f.store, cached(t, f.store, staleness))
	logIn := func(password string) answer {
		hash := account.HashPassword(account.MD5, "boss", password).Value
		keep(password)
		keep(hash)
		return f.browser("", "PUT", "/v2/user_auth", fmt.Sprintf(
			`{"data":{"credentials":%q,"account_name":"customer","ui_metadata":{"ui":"monster-ui"}},"verb":"PUT"}`, hash))
	}
	wrong := f.want(logIn("not the password"), 401)
	if wrong.envelope["message"] != "invalid_credentials" || wrong.envelope["error"] != "401" {
		t.Errorf("%s", wrong.text)
	}
	right := f.want(logIn(f.password("boss")), 201)
	token, _ := right.envelope["auth_token"].(string)
	keep(token)
	told, _ := right.data().(map[string]any)
	if told["account_id"] != customer.ID || told["owner_id"] != customer.UserID || told["apps"] == nil {
		t.Errorf("%s", right.text)
	}
	ips := "/v2/accounts/" + customer.ID + "/ips"
	f.is(f.want(f.browser(token, "GET", ips, ""), 200).data(), `[]`)
	ask := func(sv *service) int { return sv.send("GET", ips, "", "X-Auth-Token", token).status }
	if got := ask(other); got != http.StatusOK {
		t.Fatalf("on the other server: %d", got)
	}

	if _, err := f.provisioner.SetPassword(t.Context(), customer.ID, "boss", "another password"); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	f.want(f.browser(token, "GET", ips, ""), 401)
	for last := time.Now(); ask(other) != http.StatusUnauthorized; last = time.Now() {
		if late := last.Sub(changed) - staleness; late > 0 {
			t.Fatalf("still good %v later than that", late)
		}
	}
	f.want(logIn(f.password("boss")), 401)
	f.want(logIn("another password"), 201)
}
