package auth_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
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
	"junctor/pkg/store"
)

// openIssuing returns the example with the views that logins need.
func openIssuing(t *testing.T) *store.Store {
	t.Helper()
	s := openExample(t)
	installViews(t, s)
	return s
}

func installViews(t testing.TB, s *store.Store) {
	t.Helper()
	if err := account.Install(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// checkToken verifies a token by the documented rules alone and returns its header and claims.
func checkToken(t *testing.T, token string, key *rsa.PublicKey) (header, claims document.Document) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], raw[2]); err != nil {
		t.Fatal(err)
	}
	decode(t, raw[0], &header)
	decode(t, raw[1], &claims)
	return header, claims
}

func TestIssue(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	grant, err := auth.NewIssuer(s, at(now)).APIKey(t.Context(), keyOfA)
	token := grant.Token
	if err != nil || grant.AccountID != customerA {
		t.Fatalf("grant of account %s, %v", grant.AccountID, err)
	}
	header, claims := checkToken(t, token, &exampleKey(t).PublicKey)
	if want := (document.Document{"alg": "RS256", "typ": "JWT", "kid": kid}); !reflect.DeepEqual(header, want) {
		t.Errorf("header %v", header)
	}
	want := document.Document{
		"iss": "kazoo", "account_id": customerA, "method": "cb_api_auth",
		"identity_sig": identitySig(customerA, "ffeeddccbbaa99887766554433221103", serverSecret),
		"exp":          document.Number(now.Unix() + 3600),
	}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims %v, want %v", claims, want)
	}
	identity, err := authenticate(t, strict(s), token)
	if err != nil || !reflect.DeepEqual(identity, &auth.Identity{AccountID: customerA, Method: "cb_api_auth", ClusterID: ownCluster}) {
		t.Errorf("identity %+v, %v", identity, err)
	}
	later := auth.NewAuthenticator(s, auth.Options{Now: at(now.Add(time.Hour))})
	checkRefused(t, later, token, fault.TokenRejected)
}

func TestIssueLifetime(t *testing.T) {
	t.Parallel()
	s := openIssuing(t)
	issuer := auth.NewIssuer(s, at(now))
	of := func(seconds int64) map[string]any {
		return map[string]any{"token_auth_expiry_s": document.Number(seconds)}
	}
	with := func(all any, method map[string]any) map[string]any {
		section := map[string]any{"auth_modules": map[string]any{"cb_api_auth": method, "cb_user_auth": of(7)}}
		if all != nil {
			section["token_auth_expiry_s"] = all
		}
		return section
	}
	for name, c := range map[string]struct {
		settings map[string]any
		want     int64 // 0 is for ever
	}{
		"nothing set":      {nil, 3600},
		"text":             {map[string]any{"token_auth_expiry_s": "86400"}, 86400},
		"zero as text":     {map[string]any{"token_auth_expiry_s": "0"}, 0},
		"fraction":         {map[string]any{"token_auth_expiry_s": json.Number("86400.0")}, 86400},
		"fraction as text": {map[string]any{"token_auth_expiry_s": "59.5"}, 60},
		"exponent":         {map[string]any{"token_auth_expiry_s": json.Number("6e1")}, 60},
		"no number":        {map[string]any{"token_auth_expiry_s": "infinity"}, 3600},
		"not all a number": {map[string]any{"token_auth_expiry_s": "60s"}, 3600},
		"method as text":   {with("60", map[string]any{"token_auth_expiry_s": "2"}), 2},
		"for all":          {of(60), 60},
		"for the method":   {with(document.Number(60), of(2)), 2},
		"method zero":      {with(document.Number(60), of(0)), 60},
		"method negative":  {with(nil, of(-1)), 3600},
		"for ever":         {of(0), 0},
		"for ever, too":    {of(-5), 0},
		"of others only":   {with(nil, nil), 3600},
		"method over none": {with(document.Number(0), of(2)), 2},
	} {
		update(t, s, "system_config", "crossbar.auth", document.Document{"default": c.settings})
		grant, err := issuer.APIKey(t.Context(), keyOfA)
		token := grant.Token
		if err != nil {
			t.Fatal(err)
		}
		_, claims := checkToken(t, token, &exampleKey(t).PublicKey)
		exp, ok := claims.Int("exp")
		if ok != (c.want > 0) || ok && exp-now.Unix() != c.want {
			t.Errorf("%s: exp %v, want %d s from %d", name, claims["exp"], c.want, now.Unix())
		}
	}
}

func TestIssueUnknownKey(t *testing.T) {
	t.Parallel()
	issuer := auth.NewIssuer(openIssuing(t), at(now))
	for _, key := range []string{strings.ToUpper(keyOfA), strings.Repeat("0", 64), ""} {
		grant, err := issuer.APIKey(t.Context(), key)
		token := grant.Token
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || token != "" || grant.AccountID != "" {
			t.Fatalf("key %q: %q, account %q, %v", key, token, grant.AccountID, err)
		}
		if f.Kind != fault.BadIdentifier || f.Message != "bad identifier" || !reflect.DeepEqual(f.Data, []string{key}) {
			t.Errorf("key %q: %+v", key, f)
		}
		if key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestIssueWithoutKeyMaterial(t *testing.T) {
	t.Parallel()
	for name, section := range map[string]any{
		"nothing":   nil,
		"no key":    map[string]any{"secret_for_user_signature": serverSecret},
		"no secret": map[string]any{"system_key": kid},
		"lost key": map[string]any{"secret_for_user_signature": serverSecret,
			"system_key": strings.Repeat("0", 32)},
		"odd key": map[string]any{"secret_for_user_signature": serverSecret, "system_key": "_design/x"},
	} {
		s := openIssuing(t)
		update(t, s, "system_config", "auth", document.Document{"default": section})
		grant, err := auth.NewIssuer(s, at(now)).APIKey(t.Context(), keyOfA)
		token := grant.Token
		if token != "" || !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
}
