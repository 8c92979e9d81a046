package auth_test

import (
	"crypto"
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
	a := strict(openExample(t))
	as := func(account, owner any) map[string]any {
		return map[string]any{"as": map[string]any{"account_id": account, "owner_id": owner}}
	}
	acting := func(account, owner string) *auth.Identity {
		return &auth.Identity{AccountID: account, OwnerID: owner, Method: "cb_user_auth", ClusterID: ownCluster}
	}
	for name, c := range map[string]struct {
		claim map[string]any
		want  *auth.Identity // nil is refused
	}{
		"descendant":           {as(customerA, userOfA), acting(customerA, userOfA)},
		"no such user":         {as(customerA, "x"), nil},
		"user of another":      {as(reseller, userOfA), nil},
		"no user but a view":   {as(customerA, "_all_docs"), nil},
		"no user but a design": {as(customerA, "_design/users"), nil},
		"no user but settings": {as(customerA, "token_restrictions"), nil},
		"the account itself":   {as(customerA, customerA), nil},
		"itself":               {as(reseller, userOfReseller), acting(reseller, userOfReseller)},
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
		told, err := a.Describe(t.Context(), got, auth.Credentials{Kind: auth.XAuthToken, Token: token})
		if err != nil || told["account_id"] != c.want.AccountID || told["owner_id"] != c.want.OwnerID {
			t.Errorf("%s: claims %v, %v", name, told, err)
		}
		if by := got.By; by != nil && (by.AccountID != reseller || by.OwnerID != userOfReseller) {
			t.Errorf("%s: logged in as %+v", name, by)
		}
		got.By = nil
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
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

// asA is the claim to act as the user of customer A.
var asA = map[string]any{"as": map[string]any{"account_id": customerA, "owner_id": userOfA}}

// TestActAsEnds: a token that acts as a user is good only as long as both who logged in and that user may act: faults
// S4 and S11.
func TestActAsEnds(t *testing.T) {
	t.Parallel()
	off := document.Document{"enabled": false}
	for name, c := range map[string]struct {
		account, id string
		fields      document.Document
		kind        fault.Kind
	}{
		"plain user":             {reseller, userOfReseller, document.Document{"priv_level": "user"}, fault.Unauthenticated},
		"no level":               {reseller, userOfReseller, document.Document{"priv_level": nil}, fault.Unauthenticated},
		"other level":            {reseller, userOfReseller, document.Document{"priv_level": "Admin"}, fault.Unauthenticated},
		"user disabled":          {reseller, userOfReseller, off, fault.Unauthenticated},
		"password changed":       {reseller, userOfReseller, document.Document{"pvt_signature_secret": "x"}, fault.Unauthenticated},
		"account disabled":       {reseller, reseller, document.Document{"pvt_enabled": false}, fault.Unauthenticated},
		"trial over":             {reseller, reseller, document.Document{"pvt_trial_expires": document.Number(1)}, fault.Invalid},
		"other user disabled":    {customerA, userOfA, off, fault.Unauthenticated},
		"other user deleted":     {customerA, userOfA, document.Document{"pvt_deleted": true}, fault.Unauthenticated},
		"other is no user":       {customerA, userOfA, document.Document{"pvt_type": "device"}, fault.Unauthenticated},
		"other account deleted":  {customerA, customerA, document.Document{"pvt_deleted": true}, fault.Unauthenticated},
		"other account disabled": {customerA, customerA, document.Document{"pvt_enabled": false}, fault.Unauthenticated},
		"other account moved":    {customerA, customerA, document.Document{"pvt_tree": []any{master}}, fault.Unauthenticated},
		"other's trial over":     {customerA, customerA, document.Document{"pvt_trial_expires": document.Number(1)}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := strict(s)
			token := tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, asA)
			if _, err := authenticate(t, a, token); err != nil {
				t.Fatal(err)
			}
			update(t, s, database(t, c.account), c.id, c.fields)
			checkRefused(t, a, token, c.kind)
		})
	}
}

// TestActAsByKey: the account itself may act as a user, by its API key; a device of it may not.
func TestActAsByKey(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	got, err := authenticate(t, a, tokenOf(t, reseller, reseller, "ffeeddccbbaa99887766554433221102", asA))
	if err != nil || got.AccountID != customerA || got.By == nil || got.By.AccountID != reseller {
		t.Errorf("by key: %+v, %v", got, err)
	}
	const device = "dddddddddddddddddddddddddddddd01"
	update(t, s, database(t, reseller), device, document.Document{"pvt_type": "device", "pvt_signature_secret": "cafe"})
	claims := map[string]any{"device_id": device, "as": asA["as"], "iss": "kazoo", "account_id": reseller,
		"identity_sig": identitySig(device, "cafe", serverSecret)}
	checkRefused(t, a, sign(t, exampleKey(t), crypto.SHA256, header, encodeJSON(t, claims)), fault.Unauthenticated)
	delete(claims, "as")
	if _, err := authenticate(t, a, sign(t, exampleKey(t), crypto.SHA256, header, encodeJSON(t, claims))); err != nil {
		t.Errorf("the device for itself: %v", err)
	}
}

// TestImpersonation: a token that Kazoo issued to an administrator who impersonates a user ends with either of them.
func TestImpersonation(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	token := tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{
		"original_account_id": master, "original_owner_id": userOfMaster})
	if got, err := authenticate(t, a, token); err != nil || got.OwnerID != userOfA || got.Superduper {
		t.Errorf("got %+v, %v", got, err)
	}
	update(t, s, database(t, master), userOfMaster, document.Document{"enabled": false})
	checkRefused(t, a, token, fault.Unauthenticated)
	update(t, s, database(t, master), userOfMaster, document.Document{"enabled": true})
	update(t, s, database(t, customerA), userOfA, document.Document{"enabled": "false"})
	checkRefused(t, a, token, fault.Unauthenticated)
}
