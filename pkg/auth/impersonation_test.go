package auth_test

import (
	"strings"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// asA is the claim to act as the user of customer A.
var asA = map[string]any{"as": map[string]any{"account_id": customerA, "owner_id": userOfA}}

// TestActAs: an administrator may act as an enabled user of the own account or of one below it, and as no other user, by a
// token that says so and by a login that asks for it: fault S4.
func TestActAs(t *testing.T) {
	t.Parallel()
	as := func(account, owner any) any { return map[string]any{"account_id": account, "owner_id": owner} }
	level := func(value any) change { return change{reseller, userOfReseller, fields{"priv_level": value}} }
	itself := auth.As{AccountID: reseller, OwnerID: userOfReseller}
	userA := auth.As{AccountID: customerA, OwnerID: userOfA}
	nobody := strings.Repeat("9", 32)
	for name, c := range map[string]struct {
		as any
		change
		want auth.As // as whom the token acts; zero if it is refused
	}{
		"descendant": {as(customerA, userOfA), change{}, userA},
		"and more":   {map[string]any{"account_id": customerA, "owner_id": userOfA, "x": []any{"y"}}, change{}, userA},
		"itself":     {as(reseller, userOfReseller), change{}, itself},

		"account only": {map[string]any{"account_id": customerB}, change{}, itself},
		"owner only":   {map[string]any{"owner_id": userOfB}, change{}, itself},
		"empty owner":  {as(customerB, ""), change{}, itself},
		"no texts":     {as(document.Number(1), true), change{}, itself},
		"a list":       {as([]any{}, document.Number(1)), change{}, itself},
		"no object":    {customerB, change{}, itself},
		"null":         {nil, change{}, itself},

		"ancestor":             {as: as(master, userOfMaster)},
		"sibling":              {as: as(customerB, userOfB)},
		"no such user":         {as: as(customerA, "x")},
		"user of another":      {as: as(reseller, userOfA)},
		"no user but a view":   {as: as(customerA, "_all_docs")},
		"no user but a design": {as: as(customerA, "_design/users")},
		"no user but settings": {as: as(customerA, "token_restrictions")},
		"the account itself":   {as: as(customerA, customerA)},
		"no such account":      {as: as(nobody, userOfA)},
		"no account":           {as: as("../../system_config", userOfA)},
		"long":                 {as: as(customerA, strings.Repeat("x", 1<<20))},
		"long account":         {as: as(strings.Repeat("x", 1<<20), "x")},

		"plain user":  {as(customerA, userOfA), level("user"), auth.As{}},
		"no level":    {as(customerA, userOfA), level(nil), auth.As{}},
		"other level": {as(customerA, userOfA), level("Admin"), auth.As{}},

		"user disabled":    {as(customerA, userOfA), change{customerA, userOfA, fields{"enabled": false}}, auth.As{}},
		"user deleted":     {as(customerA, userOfA), change{customerA, userOfA, fields{"pvt_deleted": true}}, auth.As{}},
		"not a user":       {as(customerA, userOfA), change{customerA, userOfA, fields{"pvt_type": "device"}}, auth.As{}},
		"account deleted":  {as(customerA, userOfA), change{customerA, customerA, fields{"pvt_deleted": true}}, auth.As{}},
		"account disabled": {as(customerA, userOfA), change{customerA, customerA, fields{"pvt_enabled": false}}, auth.As{}},
		"account moved": {as(customerA, userOfA), change{customerA, customerA, fields{"pvt_tree": []any{master}}},
			auth.As{}},
		"trial over": {as(customerA, userOfA), change{customerA, customerA, fields{
			"pvt_trial_expires": document.Number(1)}}, auth.As{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openIssuing(t)
			if c.change.id != "" {
				c.make(t, s)
			}
			a := strict(s)
			token := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, map[string]any{"as": c.as})
			grant, err := auth.NewIssuer(s, at(now)).User(t.Context(), auth.ReadLogin(document.Document{
				"as": c.as, "realm": "reseller.test", "credentials": "b0aeb35bf3324f9c403f29de7519a315",
			}))
			if c.want == (auth.As{}) {
				ofToken, ofLogin := fault.Unauthenticated, fault.Forbidden
				if name == "trial over" {
					ofToken, ofLogin = fault.Invalid, fault.Invalid
				}
				checkRefused(t, a, token, ofToken)
				if !fault.Is(err, ofLogin) || grant.Token != "" {
					t.Errorf("login: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{token, grant.Token} {
				got, err := authenticate(t, a, token)
				if err != nil || got.AccountID != c.want.AccountID || got.OwnerID != c.want.OwnerID {
					t.Fatalf("got %+v, %v", got, err)
				}
				if by := got.By; by != nil && (by.AccountID != reseller || by.OwnerID != userOfReseller) {
					t.Errorf("logged in as %+v", by)
				}
				claims, err := a.Describe(t.Context(), got, xAuth(token))
				if err != nil || claims["account_id"] != c.want.AccountID || claims["owner_id"] != c.want.OwnerID {
					t.Errorf("claims %v, %v", claims, err)
				}
			}
		})
	}
}

// TestDevicesActAsNobody: a token of a device is good for itself.
func TestDevicesActAsNobody(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	addDevice(t, s)
	claims := map[string]any{"device_id": device, "identity_sig": identitySig(device, secretOfDevice, serverSecret)}
	if _, err := authenticate(t, strict(s), tokenOf(t, customerA, customerA, "", claims)); err != nil {
		t.Error(err)
	}
	claims["as"] = asA["as"]
	checkRefused(t, strict(s), tokenOf(t, customerA, customerA, "", claims), fault.Unauthenticated)
}
