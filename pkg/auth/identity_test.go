package auth_test

import (
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// TestWhoMayDoWhat is everybody, and what each may do to customer A, in this order: see it; GET
// its ips and POST to them as far as restrictions go; act on no account (superduper); and, after the gap, each level.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	const plain, secretOfPlain = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa05", "00112233445566778899aabbccddee05"
	const device, secretOfDevice = "dddddddddddddddddddddddddddddd01", "00112233445566778899aabbccddeed1"
	readOnly := parse(t, `{"_":{"user":{"ips":[{"allowed_accounts":["{AUTH_ACCOUNT_ID}"],"rules":{"#":["GET"]}}]}}}`)
	setA := func(id string, fields document.Document) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) { update(t, s, database(t, customerA), id, fields) }
	}
	token := func(account, owner, secret string, more map[string]any) auth.Credentials {
		return auth.Credentials{Kind: auth.XAuthToken, Token: tokenOf(t, account, owner, secret, more)}
	}
	as := func(account, owner string) map[string]any {
		return map[string]any{"as": map[string]any{"account_id": account, "owner_id": owner}}
	}
	byKey := map[string]any{"method": "cb_api_auth"}
	admin := token(customerA, userOfA, secretOfUserA, nil)
	for name, c := range map[string]struct {
		credentials auth.Credentials
		change      func(*testing.T, *store.Store)
		refused     fault.Kind // Internal is not
		want        string
	}{
		"superduper": {credentials: token(master, userOfMaster, secretOfUserOfMaster, nil), want: "yyyy yy"},
		"superduper, key": {
			credentials: token(master, master, "ffeeddccbbaa99887766554433221101", nil),
			want:        "yyyy yy",
		},
		"reseller": {
			credentials: token(reseller, userOfReseller, secretOfUserOfReseller, nil),
			want:        "yyyn nn",
		},
		"customer admin": {credentials: admin, want: "yyyn nn"},
		"customer user":  {credentials: token(customerA, plain, secretOfPlain, nil), want: "yyyn nn"},
		"customer device": {
			credentials: token(customerA, device, secretOfDevice, map[string]any{"device_id": device, "owner_id": plain}),
			want:        "yyyn nn",
		},
		"API key": {
			credentials: token(customerA, customerA, "ffeeddccbbaa99887766554433221103", byKey),
			want:        "yyyn nn",
		},
		"Basic":   {credentials: basic(customerA + ":a261f6b14d8343e140df3237c9158687"), want: "yyyn nn"},
		"sibling": {credentials: token(customerB, userOfB, secretOfUserB, nil), want: "nyyn nn"},

		"restricted user": {
			credentials: token(customerA, plain, secretOfPlain, nil),
			change:      setA("token_restrictions", document.Document{"restrictions": readOnly}),
			want:        "yynn nn",
		},
		"restricted admin": {
			credentials: admin,
			change:      setA("token_restrictions", document.Document{"restrictions": readOnly}),
			want:        "yyyn nn",
		},
		"restricted everybody": {
			credentials: admin,
			change:      setA("token_restrictions", document.Document{"restrictions": parse(t, `{"_":{"_":{}}}`)}),
			want:        "ynnn nn",
		},
		"restricted elsewhere": {
			credentials: token(reseller, userOfReseller, secretOfUserOfReseller, nil),
			change:      setA("token_restrictions", document.Document{"restrictions": parse(t, `{"_":{"_":{}}}`)}),
			want:        "yyyn nn",
		},
		"account disabled": {
			credentials: admin,
			change:      setA(customerA, document.Document{"pvt_enabled": false}),
			refused:     fault.Unauthenticated,
		},
		"account disabled, key": {
			credentials: token(customerA, customerA, "ffeeddccbbaa99887766554433221103", byKey),
			change:      setA(customerA, document.Document{"pvt_enabled": "false"}),
			refused:     fault.Unauthenticated,
		},
		"account disabled, Basic": {
			credentials: basic(customerA + ":a261f6b14d8343e140df3237c9158687"),
			change:      setA(customerA, document.Document{"pvt_enabled": false}),
			refused:     fault.Unauthenticated,
		},
		"account disabled, ancestor": {
			credentials: token(reseller, userOfReseller, secretOfUserOfReseller, nil),
			change:      setA(customerA, document.Document{"pvt_enabled": false}),
			want:        "yyyn nn",
		},
		"ancestor disabled": {
			credentials: admin,
			change: func(t *testing.T, s *store.Store) {
				update(t, s, database(t, reseller), reseller, document.Document{"pvt_enabled": false})
			},
			want: "yyyn nn",
		},
		"disabled when the trial was over": {
			credentials: admin,
			change: setA(customerA, document.Document{
				"pvt_enabled": false, "pvt_trial_expires": document.Number(1)}),
			refused: fault.Invalid,
		},
		"user disabled, Basic": {
			credentials: basic(customerA + ":a261f6b14d8343e140df3237c9158687"),
			change:      setA(userOfA, document.Document{"enabled": false}),
			refused:     fault.Unauthenticated,
		},
		"user disabled by us": {
			credentials: admin,
			change:      setA(userOfA, document.Document{"enabled": false, "pvt_signature_secret": "new"}),
			refused:     fault.Unauthenticated,
		},
		"user disabled, Kazoo": {
			credentials: admin,
			change:      setA(userOfA, document.Document{"enabled": false}),
			refused:     fault.Unauthenticated,
		},
		"user deleted": {
			credentials: admin,
			change:      setA(userOfA, document.Document{"pvt_deleted": true}),
			refused:     fault.Unauthenticated,
		},
		"account deleted": {
			credentials: admin,
			change:      setA(customerA, document.Document{"pvt_deleted": true}),
			refused:     fault.Unauthenticated,
		},
		"trial over": {
			credentials: admin,
			change:      setA(customerA, document.Document{"pvt_trial_expires": document.Number(1)}),
			refused:     fault.Invalid,
		},
		"expired": {
			credentials: token(customerA, userOfA, secretOfUserA, map[string]any{"exp": now.Unix()}),
			refused:     fault.TokenRejected,
		},
		"of another secret": {
			credentials: token(customerA, userOfA, secretOfUserB, nil),
			refused:     fault.Unauthenticated,
		},
		"of another's identity": {
			credentials: token(customerB, userOfA, secretOfUserA, nil),
			refused:     fault.Unauthenticated,
		},

		"device disabled": {
			credentials: token(customerA, device, secretOfDevice, map[string]any{"device_id": device, "owner_id": plain}),
			change:      setA(device, document.Document{"enabled": false}),
			refused:     fault.Unauthenticated,
		},
		"owner of the device disabled": {
			credentials: token(customerA, device, secretOfDevice, map[string]any{"device_id": device, "owner_id": plain}),
			change:      setA(plain, document.Document{"enabled": false}),
			refused:     fault.Unauthenticated,
		},
		"view instead of a user": {
			credentials: token(customerA, "_all_docs", "", nil),
			refused:     fault.Unauthenticated,
		},

		"reseller as A": {
			credentials: token(reseller, userOfReseller, secretOfUserOfReseller, as(customerA, userOfA)),
			want:        "yyyn nn",
		},
		"superduper as B": {
			credentials: token(master, userOfMaster, secretOfUserOfMaster, as(customerB, userOfB)),
			want:        "nyyn nn",
		},
		"sibling as A": {
			credentials: token(customerB, userOfB, secretOfUserB, as(customerA, userOfA)),
			refused:     fault.Unauthenticated,
		},
		"nobody": {credentials: auth.Credentials{Kind: auth.XAuthToken}, refused: fault.Unauthenticated},
		"Bearer": {
			credentials: auth.Credentials{Kind: auth.Bearer, Token: admin.Token},
			refused:     fault.Unauthenticated,
		},
		"of another account": {
			credentials: auth.Credentials{Kind: auth.XAuthToken, Token: admin.Token, Account: customerB},
			refused:     fault.Unauthenticated,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			setA(plain, document.Document{"pvt_type": "user", "priv_level": "user", "pvt_signature_secret": secretOfPlain})(t, s)
			setA(device, document.Document{"pvt_type": "device", "pvt_signature_secret": secretOfDevice})(t, s)
			if c.change != nil {
				c.change(t, s)
			}
			a := strict(s)
			i, err := a.Authenticate(t.Context(), c.credentials)
			if c.refused != fault.Internal {
				if i != nil || !fault.Is(err, c.refused) {
					t.Errorf("got %+v, %v", i, err)
				}
				return
			}
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
	answers := []bool{
		i.MaySee(target),
		a.CheckRestrictions(t.Context(), i, auth.Access{Path: []string{"ips"}, Verb: "GET", Account: target}) == nil,
		a.CheckRestrictions(t.Context(), i, auth.Access{Path: []string{"ips"}, Verb: "POST", Account: target}) == nil,
		i.Superduper,
	}
	for _, level := range levels {
		answers = append(answers, a.Require(i, level) == nil)
	}
	got := ""
	for n, yes := range answers {
		if n == 4 {
			got += " "
		}
		if got += "n"; yes {
			got = got[:len(got)-1] + "y"
		}
	}
	return got
}
