package auth_test

import (
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/store"
)

// TestWhoMayDoWhat is everybody, and what each may do to customer A, in this order: see it; GET
// its ips and POST to them as far as restrictions go; act on no account (superduper); and, after the gap, each level.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	const plain, secretOfPlain = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa05", "00112233445566778899aabbccddee05"
	readOnly := parse(t, `{"_":{"user":{"ips":[{"allowed_accounts":["{AUTH_ACCOUNT_ID}"],"rules":{"#":["GET"]}}]}}}`)
	nothing := parse(t, `{"_":{"_":{}}}`)
	ofAll := parse(t, `{"_":{"_":{"ips":[{"rules":{"#":["GET"]}}]}}}`)
	restrictions := func(r map[string]any) change {
		return change{customerA, "token_restrictions", fields{"restrictions": r}}
	}
	disabled := fields{"pvt_enabled": false}
	as := func(account, owner string) map[string]any {
		return map[string]any{"as": map[string]any{"account_id": account, "owner_id": owner}}
	}
	ofUser := tokenOf(t, customerA, plain, secretOfPlain, nil)
	ofAdmin := tokenOf(t, customerA, userOfA, secretOfUserA, nil)
	ofResellerAsA := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, asA)
	ofReseller := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, nil)
	for name, c := range map[string]struct {
		credentials auth.Credentials
		change
		want string
	}{
		"superduper":      {xAuth(exampleToken(t)), change{}, "yyyy yy"},
		"superduper, key": {xAuth(tokenOf(t, master, master, secretOfMaster, nil)), change{}, "yyyy yy"},
		"reseller":        {xAuth(ofReseller), change{}, "yyyn nn"},
		"customer admin":  {xAuth(ofAdmin), change{}, "yyyn nn"},
		"customer user":   {xAuth(ofUser), change{}, "yyyn nn"},
		"customer device": {xAuth(tokenOf(t, customerA, device, secretOfDevice, map[string]any{
			"device_id": device, "owner_id": plain})), change{}, "yyyn nn"},
		"API key": {xAuth(tokenOf(t, customerA, customerA, secretOfA, map[string]any{"method": "cb_api_auth"})),
			change{}, "yyyn nn"},
		"Basic":   {basic(customerA + ":" + hashOfA), change{}, "yyyn nn"},
		"sibling": {xAuth(tokenOf(t, customerB, userOfB, secretOfUserB, nil)), change{}, "nyyn nn"},

		"restricted user":      {xAuth(ofUser), restrictions(readOnly), "yynn nn"},
		"restricted admin":     {xAuth(ofAdmin), restrictions(readOnly), "yyyn nn"},
		"restricted everybody": {xAuth(ofAdmin), restrictions(nothing), "ynnn nn"},
		"restricted elsewhere": {xAuth(ofReseller), restrictions(nothing), "yyyn nn"},

		"account disabled, ancestor": {xAuth(ofReseller), change{customerA, customerA, disabled}, "yyyn nn"}, // fault S11
		"ancestor disabled":          {xAuth(ofAdmin), change{reseller, reseller, disabled}, "yyyn nn"},

		"reseller as A":            {xAuth(ofResellerAsA), change{}, "yyyn nn"},
		"reseller as restricted A": {xAuth(ofResellerAsA), restrictions(ofAll), "yynn nn"}, // fault S4
		"restricted reseller as A": {xAuth(ofResellerAsA), change{reseller, "token_restrictions", fields{
			"restrictions": ofAll}}, "yynn nn"},
		"by key as A": {xAuth(tokenOf(t, reseller, reseller, secretOfReseller, asA)), change{}, "yyyn nn"},
		"superduper as B": {xAuth(tokenOf(t, master, userOfMaster, secretOfUserOfMaster, as(customerB, userOfB))),
			change{}, "nyyn nn"},
		"impersonated": {xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{
			"original_account_id": master, "original_owner_id": userOfMaster})), change{}, "yyyn nn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			update(t, s, database(t, customerA), plain, fields{
				"pvt_type": "user", "priv_level": "user", "pvt_signature_secret": secretOfPlain})
			addDevice(t, s)
			if c.change.id != "" {
				c.make(t, s)
			}
			a := strict(s)
			i, err := a.Authenticate(t.Context(), c.credentials)
			if err != nil {
				t.Fatal(err)
			}
			if got := may(t, s, a, i); got != c.want {
				t.Errorf("may %s, want %s", got, c.want)
			}
		})
	}
}

// may writes what an identity may do to customer A.
func may(t *testing.T, s *store.Store, a *auth.Authenticator, i *auth.Identity) string {
	t.Helper()
	target := getAccount(t, s, customerA)
	allowed := []bool{
		i.MaySee(target),
		a.CheckRestrictions(t.Context(), i, auth.Access{Path: []string{"ips"}, Verb: "GET", Account: target}) == nil,
		a.CheckRestrictions(t.Context(), i, auth.Access{Path: []string{"ips"}, Verb: "POST", Account: target}) == nil,
		i.Superduper,
	}
	for _, level := range levels {
		allowed = append(allowed, a.Require(i, level) == nil)
	}
	got := ""
	for n, yes := range allowed {
		if n == 4 {
			got += " "
		}
		if got += "n"; yes {
			got = got[:len(got)-1] + "y"
		}
	}
	return got
}
