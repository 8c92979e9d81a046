package auth_test

import (
	"crypto"
	"errors"
	"reflect"
	"strings"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// dataOfA returns the data about customer A besides the claims.
func dataOfA(more document.Document) document.Document {
	d := document.Document{
		"account_id": customerA, "account_name": "Customer A", "apps": []any{}, "language": "en-US",
		"ui_config":  map[string]any{},
		"cluster_id": "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1", "is_master_account": false, "is_reseller": false,
		"reseller_id": reseller,
		"capabilities": map[string]any{"voicemail": map[string]any{
			"transcription": map[string]any{"default": false, "available": false}}},
	}
	for key, value := range more {
		d[key] = value
	}
	return d
}

func TestDescribeToken(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	as := map[string]any{"account_id": customerA, "owner_id": userOfA}
	for name, c := range map[string]struct {
		credentials auth.Credentials
		want        document.Document
	}{
		"user": {auth.Credentials{Kind: auth.XAuthToken, Token: tokenOf(t, customerA, userOfA, secretOfUserA, nil)},
			dataOfA(document.Document{"owner_id": userOfA, "iss": "kazoo", "method": "cb_user_auth",
				"exp":          document.Number(4102444800),
				"identity_sig": "LDJjkOyCu5T5yV3wrp5mtOUN0JdmWI3_c5FxrWCjFVw"})},
		"as": {auth.Credentials{Kind: auth.XAuthToken, Token: tokenOf(t, reseller, userOfReseller,
			secretOfUserOfReseller, map[string]any{"as": as})},
			dataOfA(document.Document{"owner_id": userOfA, "iss": "kazoo", "method": "cb_user_auth", "as": as,
				"exp":          document.Number(4102444800),
				"identity_sig": "5nxvBB8hYuu-xmUOnrxLJ62JS__b6GG1EJpVUi4iDI0"})},
		"basic": {basic(customerA + ":a261f6b14d8343e140df3237c9158687"),
			dataOfA(document.Document{"owner_id": userOfA, "iss": "kazoo", "method": "cb_basic_auth"})},
	} {
		i, err := a.Authenticate(t.Context(), c.credentials)
		if err != nil {
			t.Fatal(name, err)
		}
		for range 2 { // the claims are not used up
			got, err := a.Describe(t.Context(), i, c.credentials)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
			}
		}
	}
	remote := &auth.Identity{AccountID: customerA, Remote: true}
	if got, err := a.Describe(t.Context(), remote, auth.Credentials{}); err != nil || len(got) != 0 {
		t.Errorf("of another cluster: %v, %v", got, err)
	}
}

func TestTokenInfo(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	update(t, s, database(t, customerA), customerA, document.Document{"pvt_trial_expires": document.Number(1)})
	good := tokenOf(t, customerA, userOfA, secretOfUserA, nil)
	asItself := tokenOf(t, customerA, userOfA, secretOfUserA, asA)
	for _, token := range []string{good, asItself} { // the trial does not count
		got, err := a.TokenInfo(t.Context(), auth.Credentials{Token: token})
		if err != nil || !reflect.DeepEqual(got, dataOfA(document.Document{"owner_id": userOfA})) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct {
		token, message string
	}{
		"none":        {"", "missing token in request"},
		"garbage":     {"garbage", "invalid_jwt"},
		"no claims":   {parts[0] + ".." + parts[2], "invalid_jwt"},
		"signature":   {parts[0] + "." + parts[1] + "." + strings.Repeat("A", 342), "invalid_jwt_signature"},
		"foreign key": {sign(t, foreignKey(), crypto.SHA256, header, encodeJSON(t, goodClaims())), "invalid_jwt_signature"},
		"unknown key": {sign(t, foreignKey(), crypto.SHA256, `{"alg":"RS256","kid":"00000000000000000000000000000000"}`,
			encodeJSON(t, goodClaims())), "invalid_jwt_signature"},
		"expired": {tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{"exp": 1}), "token_expired"},
		"binding": {tokenOf(t, customerA, userOfA, "x", nil), "invalid_identity_signature"},
		"unbound": {tokenOf(t, customerA, userOfA, "x", map[string]any{"identity_sig": ""}),
			"invalid_identity_signature"},
		"as": {tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{
			"as": map[string]any{"account_id": customerB, "owner_id": userOfB}}), "invalid_jwt"},
		"huge": {strings.Repeat("A", 1<<20), "invalid_jwt"},
	} {
		got, err := a.TokenInfo(t.Context(), auth.Credentials{Token: c.token})
		kind := fault.Unauthenticated
		if c.token == "" {
			kind = fault.NotFound
		}
		f, _ := errors.AsType[*fault.Error](err)
		if got != nil || f == nil || f.Kind != kind || f.Message != c.message || encodeJSON(t, f.Data) != "{}" {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	update(t, s, database(t, customerA), userOfA, document.Document{"pvt_deleted": true})
	if _, err := a.TokenInfo(t.Context(), auth.Credentials{Token: good}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("deleted user: %v", err)
	}
}
