package auth_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/schemas"
)

// stores are those that logins are tested on, with what a real Kazoo wrote in them.
func stores(t *testing.T) map[string]func(*testing.T) *store.Store {
	t.Helper()
	return map[string]func(*testing.T) *store.Store{
		"embedded": func(t *testing.T) *store.Store { return open(t, kazoo) },
		"HTTP":     func(t *testing.T) *store.Store { return openAt(t, storetest.FreshCouch(t), kazoo) },
	}
}

// TestRecordedLogins replays the logins of users that a real Crossbar answered.
func TestRecordedLogins(t *testing.T) {
	t.Parallel()
	var recorded []struct {
		Note, Message string
		Request       document.Document
		Status        int
		Data          json.RawMessage
	}
	decode(t, read(t, "testdata/logins.json"), &recorded)
	set, err := schema.Load(schemas.Files)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			installViews(t, s)
			issuer, a := auth.NewIssuer(s, at(now)), strict(s)
			for _, r := range recorded {
				var grant auth.Grant
				err := set.Validate("user_auth", r.Request)
				if err == nil {
					grant, err = issuer.User(t.Context(), auth.ReadLogin(r.Request))
				}
				want, decodeErr := document.DecodeValue(r.Data)
				if decodeErr != nil {
					t.Fatal(decodeErr)
				}
				switch r.Status {
				case 201:
					if err != nil || !reflect.DeepEqual(map[string]any(grant.Data), want) {
						t.Errorf("%s: %v, %v, want %v", r.Note, grant.Data, err, want)
					}
					i, err := authenticate(t, a, grant.Token)
					if err != nil || i.OwnerID != grant.OwnerID || i.AccountID != grant.AccountID ||
						i.Method != "cb_user_auth" || grant.OwnerID != grant.Data["owner_id"] {
						t.Errorf("%s: %+v, %v", r.Note, i, err)
					}
				case 401:
					if !fault.Is(err, fault.Unauthenticated) || grant.Token != "" {
						t.Errorf("%s: %v", r.Note, err)
					}
				case 400:
					f, _ := errors.AsType[*fault.Error](err)
					if f == nil || f.Kind != fault.Invalid || encodeJSON(t, f.Data) != encodeJSON(t, want) {
						t.Errorf("%s: %v, want %v", r.Note, err, want)
					}
				default:
					t.Errorf("%s: status %d is no answer to a login", r.Note, r.Status)
				}
				if text := r.Request.String("credentials"); len(text) > 8 && err != nil &&
					strings.Contains(err.Error(), text) {
					t.Errorf("%s: the error shows the hash", r.Note)
				}
			}
		})
	}
}

// loginOf answers a user's login to the accounts of the example.
func loginOf(username, password, realm, name string) auth.Login {
	return auth.Login{Hash: account.HashPassword(account.MD5, username, password), Realm: realm, Name: name}
}

func TestLoginBranches(t *testing.T) {
	t.Parallel()
	const user, password, realm = "admin@cust-a.test", "cust-a-pass", "cust-a.test"
	set := func(fields document.Document) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) {
			update(t, s, database(t, customerA), customerA, fields)
			update(t, s, "accounts", customerA, fields)
		}
	}
	setUser := func(fields document.Document) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) { update(t, s, database(t, customerA), userOfA, fields) }
	}
	past := document.Number(document.Gregorian(now))
	expired := fault.Fields{"account": {"expired": map[string]any{"message": "account expired", "cause": past}}}
	disabled := fault.Fields{"account": {"disabled": map[string]any{"message": "account disabled"}}}
	for name, c := range map[string]struct {
		login  auth.Login
		change func(*testing.T, *store.Store)
		kind   fault.Kind // Internal is none: the login is good
		data   fault.Fields
	}{
		"realm":             {login: loginOf(user, password, realm, "")},
		"realm, upper case": {login: loginOf(user, password, "CUST-A.test", "")},
		"name, upper case":  {login: loginOf("ADMIN@cust-a.test", password, realm, "")},
		"account name":      {login: loginOf(user, password, "", "customer  A!")},
		"realm misses":      {login: loginOf(user, password, "nowhere.test", "Customer A")},
		"realm hits another": {
			login: loginOf(user, password, "cust-b.test", "Customer A"),
			kind:  fault.Unauthenticated,
		},
		"no account":         {login: loginOf(user, password, "", ""), kind: fault.Unauthenticated},
		"no letters in name": {login: loginOf(user, password, "", "№ ü"), kind: fault.Unauthenticated},
		"no hash": {
			login: auth.Login{Hash: account.Hash{Kind: account.MD5}, Realm: realm},
			kind:  fault.Unauthenticated,
		},
		"wrong password": {login: loginOf(user, "Cust-a-pass", realm, ""), kind: fault.Unauthenticated},
		"account expired": {
			login:  loginOf(user, password, realm, ""),
			change: set(document.Document{"pvt_trial_expires": past}),
			kind:   fault.Invalid,
			data:   expired,
		},
		"account disabled": {
			login:  loginOf(user, password, realm, ""),
			change: set(document.Document{"pvt_enabled": false}),
			kind:   fault.Invalid,
			data:   disabled,
		},
		"disabled and expired": {
			login:  loginOf(user, password, realm, ""),
			change: set(document.Document{"pvt_enabled": false, "pvt_trial_expires": past}),
			kind:   fault.Invalid,
			data:   expired,
		},
		"disabled, wrong password": {
			login:  loginOf(user, "x", realm, ""),
			change: set(document.Document{"pvt_enabled": false}),
			kind:   fault.Unauthenticated,
		},
		"account deleted": {
			login:  loginOf(user, password, realm, ""),
			change: set(document.Document{"pvt_deleted": true}),
			kind:   fault.Unauthenticated,
		},
		"copy not deleted": {login: loginOf(user, password, realm, ""), change: func(t *testing.T, s *store.Store) {
			update(t, s, database(t, customerA), customerA, document.Document{"pvt_deleted": true})
		}, kind: fault.Unauthenticated},
		"user disabled": {
			login:  loginOf(user, password, realm, ""),
			change: setUser(document.Document{"enabled": false}),
			kind:   fault.Unauthenticated,
		},
		"user deleted": {
			login:  loginOf(user, password, realm, ""),
			change: setUser(document.Document{"pvt_deleted": true}),
			kind:   fault.Unauthenticated,
		},
		"without secret": {
			login:  loginOf(user, password, realm, ""),
			change: setUser(document.Document{"pvt_signature_secret": nil}),
		},
		"switched off": {login: loginOf(user, password, realm, ""), change: func(t *testing.T, s *store.Store) {
			update(t, s, "system_config", "crossbar.auth", document.Document{"default": map[string]any{
				"auth_modules": map[string]any{"cb_user_auth": map[string]any{"enabled": false}}}})
		}, kind: fault.TokenRejected},
		"no database": {login: loginOf(user, password, realm, ""), change: func(t *testing.T, s *store.Store) {
			update(t, s, "accounts", customerA, document.Document{"realm": "x"})
			update(t, s, "accounts", strings.Repeat("9", 32), document.Document{"pvt_type": "account", "realm": realm})
		}, kind: fault.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openIssuing(t)
			if c.change != nil {
				c.change(t, s)
			}
			grant, err := auth.NewIssuer(s, at(now)).User(t.Context(), c.login)
			if c.kind == fault.Internal {
				i, err2 := authenticate(t, strict(s), grant.Token)
				if err != nil || err2 != nil || i.AccountID != customerA || i.OwnerID != userOfA {
					t.Errorf("got %+v, %v, %v", i, err, err2)
				}
				return
			}
			f, _ := errors.AsType[*fault.Error](err)
			if f == nil || f.Kind != c.kind || grant.Token != "" || c.data != nil && !reflect.DeepEqual(f.Data, c.data) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestLoginToOneOfSeveral tries the accounts of a name one after the other.
func TestLoginToOneOfSeveral(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	for _, id := range []string{reseller, customerA, customerB} {
		update(t, s, "accounts", id, document.Document{"name": "Same Name"})
	}
	update(t, s, database(t, reseller), reseller, document.Document{"pvt_enabled": false})
	issuer := auth.NewIssuer(s, at(now))
	for _, c := range []struct{ user, password, account string }{
		{"admin@cust-a.test", "cust-a-pass", customerA},
		{"admin@cust-b.test", "cust-b-pass", customerB},
	} {
		grant, err := issuer.User(t.Context(), loginOf(c.user, c.password, "", "same name"))
		if err != nil || grant.AccountID != c.account {
			t.Errorf("%s: %+v, %v", c.user, grant.AccountID, err)
		}
	}
	_, err := issuer.User(t.Context(), loginOf("admin@reseller.test", "reseller-pass", "", "same name"))
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("the disabled one: %v", err)
	}
	if _, err := issuer.User(t.Context(), loginOf("x", "y", "", "same name")); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("none: %v", err)
	}
}

// TestUserToken compares what is issued with the documented claims.
func TestUserToken(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	login := loginOf("admin@reseller.test", "reseller-pass", "reseller.test", "")
	login.As = map[string]any{"account_id": customerA, "owner_id": userOfA, "more": []any{"kept"}}
	grant, err := auth.NewIssuer(s, at(now)).User(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	_, claims := checkToken(t, grant.Token, &exampleKey(t).PublicKey)
	want := document.Document{
		"iss": "kazoo", "account_id": reseller, "owner_id": userOfReseller, "method": "cb_user_auth",
		"identity_sig": "5nxvBB8hYuu-xmUOnrxLJ62JS__b6GG1EJpVUi4iDI0",
		"exp":          document.Number(now.Unix() + 3600), "as": login.As,
	}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims %v, want %v", claims, want)
	}
	login.As = strings.Repeat("x", 16<<10)
	grant, err = auth.NewIssuer(s, at(now)).User(t.Context(), login)
	if !fault.Is(err, fault.Invalid) || grant.Token != "" {
		t.Errorf("a token that nobody takes: %v", err)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	issuer, a := auth.NewIssuer(s, at(now)), strict(s)
	const device, secret = "dddddddddddddddddddddddddddddd01", "cafe"
	update(t, s, database(t, customerA), device, document.Document{"pvt_signature_secret": secret})
	for name, c := range map[string]struct {
		token          string
		account, owner string
		bound          string // to whom the new token is
	}{
		"user":    {tokenOf(t, customerA, userOfA, secretOfUserA, nil), customerA, userOfA, userOfA},
		"account": {tokenOf(t, customerA, customerA, "ffeeddccbbaa99887766554433221103", nil), customerA, "", customerA},
		"device": {tokenOf(t, customerA, device, secret, map[string]any{"owner_id": userOfA, "device_id": device}),
			customerA, userOfA, device},
		"as": {tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, map[string]any{
			"as": map[string]any{"account_id": customerA, "owner_id": userOfA}}), customerA, userOfA, userOfA},
	} {
		i, err := authenticate(t, a, c.token)
		if err != nil {
			t.Fatal(name, err)
		}
		grant, err := issuer.Refresh(t.Context(), i)
		if err != nil {
			t.Fatal(name, err)
		}
		fresh, err := authenticate(t, a, grant.Token)
		if err != nil || fresh.AccountID != c.account || fresh.OwnerID != c.owner || fresh.Method != "cb_auth" {
			t.Errorf("%s: %+v, %v", name, fresh, err)
		}
		if owner, _ := grant.Data["owner_id"].(string); owner != c.owner || grant.Data["account_id"] != c.account {
			t.Errorf("%s: data %v", name, grant.Data)
		}
		before := database(t, c.account)
		update(t, s, before, c.bound, document.Document{"pvt_signature_secret": "changed"})
		checkRefused(t, a, grant.Token, fault.Unauthenticated)
		for id, secret := range map[string]string{device: secret, userOfA: secretOfUserA} {
			update(t, s, database(t, customerA), id, document.Document{"pvt_signature_secret": secret})
		}
	}
	remote := &auth.Identity{AccountID: customerA, Remote: true}
	if _, err := issuer.Refresh(t.Context(), remote); !fault.Is(err, fault.Forbidden) {
		t.Errorf("for another cluster: %v", err)
	}
	gone := &auth.Identity{AccountID: strings.Repeat("9", 32)}
	if _, err := issuer.Refresh(t.Context(), gone); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("for nobody: %v", err)
	}
}

// TestLoginLifetime is set for each method of its own.
func TestLoginLifetime(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	update(t, s, "system_config", "crossbar.auth", document.Document{"default": map[string]any{
		"token_auth_expiry_s": document.Number(10),
		"auth_modules":        map[string]any{"cb_user_auth": map[string]any{"token_auth_expiry_s": document.Number(20)}},
	}})
	issuer := auth.NewIssuer(s, at(now))
	grant, err := issuer.User(t.Context(), loginOf("admin@cust-a.test", "cust-a-pass", "cust-a.test", ""))
	if err != nil {
		t.Fatal(err)
	}
	refreshed, err := issuer.Refresh(t.Context(), &auth.Identity{AccountID: customerA, OwnerID: userOfA})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]time.Duration{grant.Token: 20 * time.Second, refreshed.Token: 10 * time.Second} {
		_, claims := checkToken(t, token, &exampleKey(t).PublicKey)
		if exp, _ := claims.Int("exp"); exp != now.Add(want).Unix() {
			t.Errorf("expires %v, want after %v", exp, want)
		}
	}
}
