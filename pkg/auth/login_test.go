package auth_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// loginOf returns a user's login to the accounts of the example.
func loginOf(username, password, realm, name string) auth.Login {
	return auth.Login{Hash: account.HashPassword(account.MD5, username, password), Realm: realm, Name: name}
}

func TestLoginBranches(t *testing.T) {
	t.Parallel()
	const user, password, realm = "admin@cust-a.test", "cust-a-pass", "cust-a.test"
	good := loginOf(user, password, realm, "")
	past := document.Number(kazoo.Gregorian(now))
	expired := fault.Fields{"account": {"expired": map[string]any{"message": "account expired", "cause": past}}}
	disabled := fault.Fields{"account": {"disabled": map[string]any{"message": "account disabled"}}}
	ofAccount := func(f fields) change { return change{customerA, customerA, f} }
	ofUser := func(f fields) change { return change{customerA, userOfA, f} }
	const wrong = fault.Unauthenticated
	for name, c := range map[string]struct {
		login auth.Login
		change
		kind fault.Kind // Internal is none: the login is good
		data fault.Fields
	}{
		"realm":               {login: good},
		"realm, upper case":   {login: loginOf(user, password, "CUST-A.test", "")},
		"name, upper case":    {login: loginOf("ADMIN@cust-a.test", password, realm, "")},
		"account name":        {login: loginOf(user, password, "", "customer  A!")},
		"realm misses":        {login: loginOf(user, password, "nowhere.test", "Customer A")},
		"realm hits another":  {login: loginOf(user, password, "cust-b.test", "Customer A"), kind: wrong},
		"no account":          {login: loginOf(user, password, "", ""), kind: wrong},
		"no letters in name":  {login: loginOf(user, password, "", "№ ü"), kind: wrong},
		"no hash":             {login: auth.Login{Hash: account.Hash{Kind: account.MD5}, Realm: realm}, kind: wrong},
		"wrong password":      {login: loginOf(user, "Cust-a-pass", realm, ""), kind: wrong},
		"account expired":     {good, ofAccount(fields{"pvt_trial_expires": past}), fault.Invalid, expired},
		"account disabled":    {good, ofAccount(fields{"pvt_enabled": false}), fault.Invalid, disabled},
		"account deleted":     {good, ofAccount(fields{"pvt_deleted": true}), wrong, nil},
		"its copy is deleted": {good, change{"accounts", customerA, fields{"pvt_deleted": true}}, wrong, nil},
		"user disabled":       {good, ofUser(fields{"enabled": false}), wrong, nil},
		"user deleted":        {good, ofUser(fields{"pvt_deleted": true}), wrong, nil},
		"without secret":      {good, ofUser(fields{"pvt_signature_secret": nil}), fault.Internal, nil},
		"disabled and expired": {good, ofAccount(fields{"pvt_enabled": false, "pvt_trial_expires": past}), fault.Invalid,
			expired},
		"disabled, wrong password": {loginOf(user, "x", realm, ""), ofAccount(fields{"pvt_enabled": false}), wrong, nil},
		"switched off": {good, change{"system_config", "crossbar.auth", fields{"default": map[string]any{
			"auth_modules": map[string]any{"cb_user_auth": map[string]any{"enabled": false}}}}}, fault.TokenRejected, nil},
		"no database": {loginOf(user, password, "gone.test", ""), change{"accounts", strings.Repeat("9", 32),
			fields{"pvt_type": "account", "realm": "gone.test"}}, wrong, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openIssuing(t)
			if c.change.id != "" {
				c.make(t, s)
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
	login.As = auth.As{AccountID: customerA, OwnerID: userOfA}
	grant, err := auth.NewIssuer(s, at(now)).User(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	_, claims := checkToken(t, grant.Token, &exampleKey(t).PublicKey)
	want := document.Document{
		"iss": "kazoo", "account_id": reseller, "owner_id": userOfReseller, "method": "cb_user_auth",
		"identity_sig": "5nxvBB8hYuu-xmUOnrxLJ62JS__b6GG1EJpVUi4iDI0",
		"exp":          document.Number(now.Unix() + 3600), "as": asA["as"],
	}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims %v, want %v", claims, want)
	}
}

// TestKeyLoginToDisabledAccount: fault S11.
func TestKeyLoginToDisabledAccount(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	update(t, s, database(t, customerA), customerA, document.Document{"pvt_enabled": false})
	grant, err := auth.NewIssuer(s, at(now)).APIKey(t.Context(), keyOfA)
	f, _ := errors.AsType[*fault.Error](err)
	want := fault.Fields{"account": {"disabled": map[string]any{"message": "account disabled"}}}
	if f == nil || f.Kind != fault.Invalid || !reflect.DeepEqual(f.Data, want) || grant.Token != "" {
		t.Errorf("got %v", err)
	}
}

// TestRefresh: the new token says what the old one said, and ends with who logged in: fault S4.
func TestRefresh(t *testing.T) {
	t.Parallel()
	basicOfA := basic(customerA + ":" + hashOfA)
	impersonating := map[string]any{"original_account_id": master, "original_owner_id": userOfMaster}
	for name, c := range map[string]struct {
		credentials    auth.Credentials
		account, owner string // as whom the new token acts
		method         string
		home, bound    string // who logged in
		as             any
	}{
		"user": {xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, nil)),
			customerA, userOfA, "cb_user_auth", customerA, userOfA, nil},
		"account": {xAuth(tokenOf(t, customerA, customerA, secretOfA, map[string]any{"method": "cb_api_auth"})),
			customerA, "", "cb_api_auth", customerA, customerA, nil},
		"device": {xAuth(tokenOf(t, customerA, device, secretOfDevice, map[string]any{
			"owner_id": userOfA, "device_id": device})),
			customerA, userOfA, "cb_user_auth", customerA, device, nil},
		"Kazoo's refreshed": {xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{"method": "cb_auth"})),
			customerA, userOfA, "cb_auth", customerA, userOfA, nil},
		"as": {xAuth(tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, asA)),
			customerA, userOfA, "cb_user_auth", reseller, userOfReseller, asA["as"]},
		"other as": {xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{"as": []any{"x"}})),
			customerA, userOfA, "cb_user_auth", customerA, userOfA, nil},
		"impersonator": {xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, impersonating)),
			customerA, userOfA, "cb_user_auth", master, userOfMaster, nil},
		"Basic": {basicOfA, customerA, userOfA, "cb_basic_auth", customerA, userOfA, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openIssuing(t)
			addDevice(t, s)
			issuer, a := auth.NewIssuer(s, at(now)), strict(s)
			i, err := a.Authenticate(t.Context(), c.credentials)
			if err != nil {
				t.Fatal(err)
			}
			grant, err := issuer.Refresh(t.Context(), i, c.credentials)
			if err != nil {
				t.Fatal(err)
			}
			_, claims := checkToken(t, grant.Token, &exampleKey(t).PublicKey)
			if exp, _ := claims.Int("exp"); exp != now.Unix()+3600 || !reflect.DeepEqual(claims["as"], c.as) {
				t.Errorf("claims %v", claims)
			}
			fresh, err := a.Authenticate(t.Context(), auth.Credentials{Kind: auth.XAuthToken, Token: grant.Token})
			if err != nil || !reflect.DeepEqual(fresh, i) || fresh.AccountID != c.account || fresh.OwnerID != c.owner ||
				fresh.Method != c.method {
				t.Errorf("%+v, %v", fresh, err)
			}
			if owner, _ := grant.Data["owner_id"].(string); owner != c.owner || grant.Data["account_id"] != c.account {
				t.Errorf("data %v", grant.Data)
			}
			end := fields{"pvt_signature_secret": "changed"} // which the token is bound to
			if name == "impersonator" {
				end = fields{"enabled": false}
			}
			update(t, s, database(t, c.home), c.bound, end)
			checkRefused(t, a, grant.Token, fault.Unauthenticated)
		})
	}
	issuer := auth.NewIssuer(openIssuing(t), at(now))
	remote := &auth.Identity{AccountID: customerA, Remote: true}
	if _, err := issuer.Refresh(t.Context(), remote, basicOfA); !fault.Is(err, fault.Forbidden) {
		t.Errorf("for another cluster: %v", err)
	}
	gone := &auth.Identity{AccountID: strings.Repeat("9", 32)}
	if _, err := issuer.Refresh(t.Context(), gone, basicOfA); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("for an account that does not exist: %v", err)
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
	byUser := &auth.Identity{AccountID: customerA, OwnerID: userOfA, Method: "cb_user_auth"}
	shown := auth.Credentials{Kind: auth.XAuthToken, Token: grant.Token}
	refreshed, err := issuer.Refresh(t.Context(), byUser, shown)
	if err != nil {
		t.Fatal(err)
	}
	other := &auth.Identity{AccountID: customerA, OwnerID: userOfA, Method: "cb_basic_auth"}
	ofBasic, err := issuer.Refresh(t.Context(), other, auth.Credentials{Kind: auth.Basic})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]time.Duration{
		grant.Token: 20 * time.Second, refreshed.Token: 20 * time.Second, ofBasic.Token: 10 * time.Second,
	} {
		_, claims := checkToken(t, token, &exampleKey(t).PublicKey)
		if exp, _ := claims.Int("exp"); exp != now.Add(want).Unix() {
			t.Errorf("expires %v, want after %v", exp, want)
		}
	}
}

// kindOfDatabase is the name of a database, or that it is one of an account.
func kindOfDatabase(db string) string {
	if strings.HasPrefix(db, "account/") {
		return "an account"
	}
	return db
}

// TestUnknownNamesTakeAsLong: a refused login asks the store for the same things whether there is an account of the
// realm or name or not: fault S16.
func TestUnknownNamesTakeAsLong(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	for _, id := range []string{master, customerA} { // has the views of their users made
		if _, err := account.NewDirectory(s).UsersByHash(t.Context(), id, account.Hash{Kind: account.MD5, Value: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, names := range [][4]string{
		{"cust-a.test", "", "nowhere.test", ""},
		{"", "Customer A", "", "Nobody"},
		{"cust-a.test", "Customer A", "nowhere.test", "Nobody"},
		{"cust-a.test", "Nobody", "nowhere.test", "Customer A"},
	} {
		var asked [2][]string
		for n := range asked {
			traced := observe(s)
			login := loginOf("admin@cust-a.test", "wrong", names[2*n], names[2*n+1])
			_, err := auth.NewIssuer(traced, at(now)).User(t.Context(), login)
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%v: %v", names, err)
			}
			asked[n] = traced.asked
		}
		slices.Sort(asked[0])
		slices.Sort(asked[1])
		if len(asked[0]) < 4 || !slices.Equal(asked[0], asked[1]) {
			t.Errorf("%v:\n%q\n%q", names, asked[0], asked[1])
		}
	}
	// A wrong login is tried on the master account, where it does not succeed either.
	_, err := auth.NewIssuer(s, at(now)).User(t.Context(), loginOf("admin@master.test", "master-pass", "nowhere.test", ""))
	if !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("with the master's password: %v", err)
	}
}
