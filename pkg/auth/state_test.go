package auth_test

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestRevocation: credentials that were good are refused once a document says so, and the error has the reason.
func TestRevocation(t *testing.T) {
	t.Parallel()
	ofMaster := xAuth(exampleToken(t))
	ofUser := xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, nil))
	ofKey := xAuth(tokenOf(t, customerA, customerA, secretOfA, map[string]any{"method": "cb_api_auth"}))
	ofDevice := xAuth(tokenOf(t, customerA, device, secretOfDevice, map[string]any{
		"owner_id": userOfA, "device_id": device}))
	asUser := xAuth(tokenOf(t, reseller, userOfReseller, secretOfUserOfReseller, asA)) // faults S4 and S11
	impersonating := xAuth(tokenOf(t, customerA, userOfA, secretOfUserA, map[string]any{
		"original_account_id": master, "original_owner_id": userOfMaster}))
	password := basic(customerA + ":" + hashOfA)
	deleted, disabled, off := fields{"pvt_deleted": true}, fields{"pvt_enabled": false}, fields{"enabled": false}
	over := fields{"pvt_trial_expires": document.Number(1)}
	const refused = fault.Unauthenticated
	for name, c := range map[string]struct {
		credentials auth.Credentials
		change
		kind   fault.Kind
		reason string // "" is any
	}{
		"user soft-deleted":       {ofMaster, change{master, userOfMaster, deleted}, refused, userOfMaster + " is deleted"},
		"user soft-deleted, text": {ofMaster, change{master, userOfMaster, fields{"pvt_deleted": "true"}}, refused, ""},
		"user deleted":            {ofMaster, change{master, userOfMaster, nil}, refused, userOfMaster},
		"user disabled":           {ofUser, change{customerA, userOfA, off}, refused, "not an enabled user"},
		"user disabled, text":     {ofUser, change{customerA, userOfA, fields{"enabled": "false"}}, refused, ""},
		"secret changed": {ofMaster, change{master, userOfMaster, fields{"pvt_signature_secret": "0"}}, refused,
			"identity_sig: not the signature of " + userOfMaster},
		"no secret": {ofMaster, change{master, userOfMaster, fields{"pvt_signature_secret": ""}}, refused,
			userOfMaster + " has no secret"},
		"secret is no text": {ofMaster, change{master, userOfMaster, fields{"pvt_signature_secret": document.Number(1)}},
			refused, ""},

		"account soft-deleted": {ofMaster, change{master, master, deleted}, refused, "the account " + master + " is deleted"},
		"account deleted":      {ofMaster, change{master, master, nil}, refused, master},
		"account disabled":     {ofUser, change{customerA, customerA, disabled}, refused, customerA + " is disabled"},
		"account disabled, key": {ofKey, change{customerA, customerA, fields{"pvt_enabled": "false"}}, refused,
			customerA + " is disabled"},
		"trial over": {ofUser, change{customerA, customerA, over}, fault.Invalid, ""},
		"disabled when the trial was over": {ofUser, change{customerA, customerA, fields{
			"pvt_enabled": false, "pvt_trial_expires": document.Number(1)}}, fault.Invalid, ""},

		"server secret changed": {ofMaster, change{"system_config", "auth", fields{
			"default": map[string]any{"secret_for_user_signature": "1"}}}, refused, ""},
		"server secret gone": {ofMaster, change{"system_config", "auth", fields{"default": nil}}, refused, ""},
		"config gone":        {ofMaster, change{"system_config", "auth", nil}, refused, ""},
		"key soft-deleted":   {ofMaster, change{"system_auth", kid, deleted}, refused, "key " + kid + ": deleted"},
		"key deleted":        {ofMaster, change{"system_auth", kid, nil}, refused, "key " + kid + ": does not exist"},
		"key changed":        {ofMaster, change{"system_auth", kid, attachment(otherKey(t))}, refused, "signature is invalid"},
		"key without file": {ofMaster, change{"system_auth", kid, fields{"_attachments": map[string]any{}}}, refused,
			"does not exist"},
		"key unreadable": {ofMaster, change{"system_auth", kid, attachment([]byte("-----BEGIN RSA PRIVATE KEY-----"))}, refused,
			"no PEM block"},
		"key no RSA key": {ofMaster, change{"system_auth", kid, attachment(pem.EncodeToMemory(
			&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{0x30, 0}}))}, refused, "no private key"},

		"device deleted":     {ofDevice, change{customerA, device, deleted}, refused, device + " is deleted"},
		"device disabled":    {ofDevice, change{customerA, device, off}, refused, device},
		"its owner disabled": {ofDevice, change{customerA, userOfA, off}, refused, userOfA},

		"Basic, user disabled":    {password, change{customerA, userOfA, off}, refused, ""},
		"Basic, user deleted":     {password, change{customerA, userOfA, deleted}, refused, ""},
		"Basic, password changed": {password, change{customerA, userOfA, fields{"pvt_md5_auth": "x"}}, refused, ""},
		"Basic, two users of one hash": {password, change{customerA, "other", fields{
			"pvt_type": "user", "enabled": true, "pvt_md5_auth": hashOfA}}, refused, "not exactly one"},
		"Basic, account deleted":  {password, change{customerA, customerA, deleted}, refused, customerA + " is deleted"},
		"Basic, account disabled": {password, change{customerA, customerA, disabled}, refused, customerA + " is disabled"},
		"Basic, trial over":       {password, change{customerA, customerA, over}, fault.Invalid, ""},

		"as, user disabled":    {asUser, change{reseller, userOfReseller, off}, refused, userOfReseller},
		"as, secret changed":   {asUser, change{reseller, userOfReseller, fields{"pvt_signature_secret": "x"}}, refused, ""},
		"as, account disabled": {asUser, change{reseller, reseller, disabled}, refused, reseller + " is disabled"},
		"as, trial over":       {asUser, change{reseller, reseller, over}, fault.Invalid, ""},

		"impersonator disabled": {impersonating, change{master, userOfMaster, off}, refused, userOfMaster},
		"impersonated disabled": {impersonating, change{customerA, userOfA, off}, refused, userOfA},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			addDevice(t, s)
			a := strict(s)
			if _, err := a.Authenticate(t.Context(), c.credentials); err != nil {
				t.Fatal(err)
			}
			c.make(t, s)
			for range 2 { // the first must not have repaired anything
				if err := refusal(t, a, c.credentials, c.kind); !strings.Contains(err.Error(), c.reason) {
					t.Errorf("the log gets %q, want %q in it", err, c.reason)
				}
			}
		})
	}
}

type fields = document.Document

// addDevice puts a device into account A.
func addDevice(t testing.TB, s *store.Store) {
	t.Helper()
	update(t, s, database(t, customerA), device, fields{"pvt_type": "device", "pvt_signature_secret": secretOfDevice})
}

func attachment(text []byte) document.Document {
	return document.Document{"_attachments": map[string]any{"private_key.pem": map[string]any{
		"content_type": "application/x-pem-file", "data": base64.StdEncoding.EncodeToString(text),
	}}}
}

func otherKey(t *testing.T) []byte {
	t.Helper()
	return pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(foreignKey()),
	})
}

// TestKeyInstead takes tokens of another key as soon as it stands in the place of the first, in either form.
func TestKeyInstead(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	a := strict(s)
	token := sign(t, foreignKey(), crypto.SHA256, header, encodeJSON(t, goodClaims()))
	checkRefused(t, a, token, fault.Unauthenticated)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(foreignKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range [][]byte{
		otherKey(t),
		append(otherKey(t), "\n\n"...),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	} {
		update(t, s, "system_auth", kid, attachment(file))
		if _, err := authenticate(t, a, token); err != nil {
			t.Error(err)
		}
	}
}

// TestNoSecret: what is bound to an empty secret is bound to none.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	claims := goodClaims()
	claims["identity_sig"] = identitySig(userOfMaster, "", serverSecret)
	token := sign(t, exampleKey(t), crypto.SHA256, header, encodeJSON(t, claims))
	for _, secret := range []any{"", nil, document.Number(1)} {
		update(t, s, database(t, master), userOfMaster, document.Document{"pvt_signature_secret": secret})
		checkRefused(t, strict(s), token, fault.Unauthenticated)
	}
}

func TestTrial(t *testing.T) {
	t.Parallel()
	ends := document.Number(kazoo.Gregorian(now))
	for name, value := range map[string]any{ // fault P4
		"number": ends, "fraction": json.Number(ends.String() + ".0"), "text": ends.String(), "text of a fraction": ends.String() + ".0",
	} {
		s := openExample(t)
		update(t, s, database(t, master), master, document.Document{"pvt_trial_expires": value})
		before := auth.NewAuthenticator(s, auth.Options{Now: at(now.Add(-time.Second))})
		if _, err := authenticate(t, before, exampleToken(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := authenticate(t, strict(s), exampleToken(t))
		f, ok := errors.AsType[*fault.Error](err)
		want := fault.Fields{"account": {"expired": map[string]any{"message": "account expired", "cause": ends}}}
		if !ok || f.Kind != fault.Invalid || !reflect.DeepEqual(f.Data, want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestOutage lets each read of the store fail in turn: the error is the store's, and no refusal.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	token := exampleToken(t)
	for reads := int64(0); ; reads++ {
		f := observe(s)
		f.left.Store(reads)
		identity, err := authenticate(t, strict(f), token)
		if err == nil {
			if reads < 3 {
				t.Errorf("%d reads were enough", reads)
			}
			break
		}
		if identity != nil || !fault.Is(err, fault.DatastoreUnreachable) {
			t.Fatalf("read %d fails: %+v, %v", reads, identity, err)
		}
	}
}

// TestEmptyStore: before a bootstrap there are no tokens, but that is no outage.
func TestEmptyStore(t *testing.T) {
	t.Parallel()
	checkRefused(t, strict(storetest.Open(t, "memory:")), exampleToken(t), fault.Unauthenticated)
}

func TestNewKeyDocument(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	const id = "0123456789abcdef0123456789abcdef"
	doc, err := auth.NewKeyDocument(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "system_auth", doc); err != nil {
		t.Fatal(err)
	}
	text, err := s.Attachment(t.Context(), "system_auth", id, "private_key.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil || key.N.BitLen() != 2048 || key.E != 65537 {
		t.Fatalf("key of %d bits, exponent %d, %v", key.N.BitLen(), key.E, err)
	}
	token := sign(t, key, crypto.SHA256, `{"alg":"RS256","kid":"`+id+`"}`, encodeJSON(t, goodClaims()))
	if _, err := authenticate(t, strict(s), token); err != nil {
		t.Error(err)
	}
}
