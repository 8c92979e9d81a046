package auth_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestRevocation changes the store under a good token.
func TestRevocation(t *testing.T) {
	t.Parallel()
	home := database(t, master)
	remove := func(db, id string) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) {
			doc, err := s.Get(t.Context(), db, id)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), db, id, doc.Rev()); err != nil {
				t.Fatal(err)
			}
		}
	}
	set := func(db, id string, fields document.Document) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) { update(t, s, db, id, fields) }
	}
	for name, change := range map[string]func(*testing.T, *store.Store){
		"user soft-deleted":       set(home, userOfMaster, document.Document{"pvt_deleted": true}),
		"user soft-deleted, text": set(home, userOfMaster, document.Document{"pvt_deleted": "true"}),
		"user deleted":            remove(home, userOfMaster),
		"password changed":        set(home, userOfMaster, document.Document{"pvt_signature_secret": "0"}),
		"no secret":               set(home, userOfMaster, document.Document{"pvt_signature_secret": ""}),
		"secret is no text":       set(home, userOfMaster, document.Document{"pvt_signature_secret": document.Number(1)}),
		"account soft-deleted":    set(home, master, document.Document{"pvt_deleted": true}),
		"account deleted":         remove(home, master),
		"server secret changed": set("system_config", "auth", document.Document{
			"default": map[string]any{"secret_for_user_signature": "1"}}),
		"server secret gone": set("system_config", "auth", document.Document{"default": nil}),
		"config gone":        remove("system_config", "auth"),
		"key soft-deleted":   set("system_auth", kid, document.Document{"pvt_deleted": true}),
		"key deleted":        remove("system_auth", kid),
		"key changed":        set("system_auth", kid, attachment(t, otherKey(t))),
		"key without file":   set("system_auth", kid, document.Document{"_attachments": map[string]any{}}),
		"key unreadable":     set("system_auth", kid, attachment(t, []byte("-----BEGIN RSA PRIVATE KEY-----"))),
		"key no RSA key": set("system_auth", kid, attachment(t,
			pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{0x30, 0}}))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openExample(t)
			a := strict(s)
			if _, err := authenticate(t, a, exampleToken(t)); err != nil {
				t.Fatal(err)
			}
			change(t, s)
			checkRefused(t, a, exampleToken(t), fault.Unauthenticated)
			// What a reader must not do: repair.
			checkRefused(t, a, exampleToken(t), fault.Unauthenticated)
		})
	}
}

func attachment(t *testing.T, text []byte) document.Document {
	t.Helper()
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
		update(t, s, "system_auth", kid, attachment(t, file))
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

// TestDevice takes a token that is bound to a device.
func TestDevice(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	const device, secret = "dddddddddddddddddddddddddddddd01", "cafe"
	update(t, s, database(t, customerA), device, document.Document{"pvt_signature_secret": secret})
	token := sign(t, exampleKey(t), crypto.SHA256, header, encodeJSON(t, map[string]any{
		"iss": "kazoo", "account_id": customerA, "owner_id": userOfA, "device_id": device,
		"identity_sig": identitySig(device, secret, serverSecret),
	}))
	if identity, err := authenticate(t, strict(s), token); err != nil || identity.OwnerID != userOfA {
		t.Errorf("got %+v, %v", identity, err)
	}
	update(t, s, database(t, customerA), device, document.Document{"pvt_deleted": true})
	checkRefused(t, strict(s), token, fault.Unauthenticated)
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

func TestSuperduperComesFromTheAccount(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	for _, c := range []struct {
		value any
		want  bool
	}{{"true", true}, {false, false}, {nil, false}, {document.Number(1), false}, {true, true}} {
		update(t, s, database(t, master), master, document.Document{"pvt_superduper_admin": c.value})
		identity, err := authenticate(t, strict(s), exampleToken(t))
		if err != nil || identity.Superduper != c.want {
			t.Errorf("%v: %+v, %v", c.value, identity, err)
		}
	}
}

// TestStaleness: what was read may serve as long as was allowed, and not longer.
func TestStaleness(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	const allowed = 50 * time.Millisecond
	long, short := remembering(s, time.Hour), remembering(s, allowed)
	for _, a := range []*auth.Authenticator{long, short} {
		if _, err := authenticate(t, a, exampleToken(t)); err != nil {
			t.Fatal(err)
		}
	}
	update(t, s, database(t, master), userOfMaster, document.Document{"pvt_deleted": true})
	changed := time.Now()
	if _, err := authenticate(t, long, exampleToken(t)); err != nil {
		t.Errorf("nothing was remembered: %v", err)
	}
	for {
		asked := time.Now()
		_, err := authenticate(t, short, exampleToken(t))
		if fault.Is(err, fault.Unauthenticated) {
			return
		}
		if err != nil || asked.Sub(changed) > allowed {
			t.Fatalf("%v after the change: %v", asked.Sub(changed), err)
		}
	}
}

// failing is a store one of whose reads finds it unreachable.
type failing struct {
	*store.Store
	left atomic.Int64
}

var errDown = fault.Wrap(fault.DatastoreUnreachable, errors.New("down"))

func (f *failing) Get(ctx context.Context, db, id string) (document.Document, error) {
	if f.left.Add(-1) < 0 {
		return nil, errDown
	}
	return f.Store.Get(ctx, db, id)
}

func (f *failing) Attachment(ctx context.Context, db, id, name string) ([]byte, error) {
	if f.left.Add(-1) < 0 {
		return nil, errDown
	}
	return f.Store.Attachment(ctx, db, id, name)
}

// TestOutage lets each read of the store fail in turn: the answer is neither yes nor no.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := openExample(t)
	token := exampleToken(t)
	for reads := int64(0); ; reads++ {
		f := &failing{Store: s}
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
	if _, err := json.Marshal(doc); err != nil {
		t.Error(err)
	}
}
