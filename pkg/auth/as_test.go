package auth_test

import (
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// TestActAs: a token may act as a user of an account below its own.
func TestActAs(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	as := func(account, owner any) map[string]any {
		return map[string]any{"as": map[string]any{"account_id": account, "owner_id": owner}}
	}
	acting := func(account, owner string) *auth.Identity {
		return &auth.Identity{AccountID: account, OwnerID: owner, Method: "cb_user_auth"}
	}
	for name, c := range map[string]struct {
		claim map[string]any
		want  *auth.Identity // nil is refused
	}{
		"descendant":           {as(customerA, userOfA), acting(customerA, userOfA)},
		"owner is not checked": {as(customerA, "x"), acting(customerA, "x")},
		"itself":               {as(reseller, userOfA), acting(reseller, userOfA)},
		"ancestor":             {as(master, userOfMaster), nil},
		"sibling":              {as(customerB, userOfB), nil},
		"nobody":               {as(strings.Repeat("9", 32), userOfA), nil},
		"no account":           {as("../../system_config", userOfA), nil},
		"account only":         {map[string]any{"as": map[string]any{"account_id": customerB}}, acting(reseller, userOfReseller)},
		"owner only":           {map[string]any{"as": map[string]any{"owner_id": userOfB}}, acting(reseller, userOfReseller)},
		"empty owner":          {as(customerB, ""), acting(reseller, userOfReseller)},
		"no texts":             {as(1, true), acting(reseller, userOfReseller)},
		"no object":            {map[string]any{"as": customerB}, acting(reseller, userOfReseller)},
		"null":                 {map[string]any{"as": nil}, acting(reseller, userOfReseller)},
	} {
		token := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, c.claim)
		if c.want == nil {
			checkRefused(t, a, token, fault.Unauthenticated)
			continue
		}
		got, err := authenticate(t, a, token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Claims["account_id"] != c.want.AccountID || got.Claims["owner_id"] != c.want.OwnerID {
			t.Errorf("%s: claims %v", name, got.Claims)
		}
		if !reflect.DeepEqual(bare(got), c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	update(t, s, database(t, customerA), customerA, document.Document{"pvt_deleted": true})
	token := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, as(customerA, userOfA))
	checkRefused(t, a, token, fault.Unauthenticated)
}

// TestActAsLosesRank: who acts as a customer is one.
func TestActAsLosesRank(t *testing.T) {
	t.Parallel()
	a := strict(openExample(t))
	token := tokenOf(t, master, userOfMaster, secretOfUserOfMaster, map[string]any{
		"as": map[string]any{"account_id": customerB, "owner_id": userOfB}})
	got, err := authenticate(t, a, token)
	if err != nil || got.Superduper || got.Master || got.AccountID != customerB {
		t.Errorf("got %+v, %v", got, err)
	}
	// The header is about the token, not about whom it acts as (cb_token_auth).
	for header, good := range map[string]bool{master: true, customerB: false} {
		_, err := a.Authenticate(t.Context(), auth.Credentials{Kind: auth.XAuthToken, Token: token, Account: header})
		if good != (err == nil) {
			t.Errorf("X-Auth-Account-ID %s: %v", header, err)
		}
	}
}
