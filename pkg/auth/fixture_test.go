package auth_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// What testdata/example.json holds: a master, a reseller, a customer of the reseller (A) and one of the master (B),
// with a user each.
const (
	master    = "11111111111111111111111111111111"
	reseller  = "22222222222222222222222222222222"
	customerA = "33333333333333333333333333333333"
	customerB = "44444444444444444444444444444444"

	userOfMaster   = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01"
	userOfReseller = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa02"
	userOfA        = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa03"
	userOfB        = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa04"

	secretOfUserOfMaster   = "00112233445566778899aabbccddee01"
	secretOfUserOfReseller = "00112233445566778899aabbccddee02"
	secretOfUserA          = "00112233445566778899aabbccddee03"
	secretOfUserB          = "00112233445566778899aabbccddee04"
	secretOfMaster         = "ffeeddccbbaa99887766554433221101"
	secretOfReseller       = "ffeeddccbbaa99887766554433221102"
	secretOfA              = "ffeeddccbbaa99887766554433221103"

	// Of tests that put a device into an account.
	device, secretOfDevice = "dddddddddddddddddddddddddddddd01", "00112233445566778899aabbccddeed1"

	kid          = "5a1c0de5a1c0de5a1c0de5a1c0de5a1c"
	serverSecret = "0fedcba9876543210fedcba987654321"
	keyOfA       = "a333333333333333333333333333333333333333333333333333333333333333"
	hashOfA      = "a261f6b14d8343e140df3237c9158687" // of the user's name and password
)

// now is some time at which the example's tokens are good.
var now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// example is a store with what is in testdata/example.json.
var example = storetest.Template{Fill: loadExample}

func openExample(t testing.TB) *store.Store { t.Helper(); return example.Open(t) }

func loadExample(t testing.TB, s *store.Store) {
	t.Helper()
	var databases []struct {
		Database string
		Docs     []document.Document
	}
	decode(t, read(t, "testdata/example.json"), &databases)
	for _, db := range databases {
		if err := s.CreateDatabase(t.Context(), db.Database); err != nil {
			t.Fatal(err)
		}
		for _, doc := range db.Docs {
			if _, err := s.Put(t.Context(), db.Database, doc); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// observed is a store whose reads are recorded, and fail after some.
type observed struct {
	*store.Store
	reads atomic.Int64
	left  atomic.Int64 // how many reads succeed before it is unreachable

	mu    sync.Mutex
	asked []string // what was read of which kind of database
	ids   []string // of documents
}

func observe(s *store.Store) *observed {
	o := &observed{Store: s}
	o.left.Store(math.MaxInt64)
	return o
}

var errDown = fault.Wrap(fault.DatastoreUnreachable, errors.New("down"))

func (o *observed) read(what, db, id string) error {
	o.reads.Add(1)
	o.mu.Lock()
	o.asked, o.ids = append(o.asked, what+" of "+kindOfDatabase(db)), append(o.ids, id)
	o.mu.Unlock()
	if o.left.Add(-1) < 0 {
		return errDown
	}
	return nil
}

func (o *observed) Get(ctx context.Context, db, id string) (document.Document, error) {
	if err := o.read("document", db, id); err != nil {
		return nil, err
	}
	return o.Store.Get(ctx, db, id)
}

func (o *observed) Text(ctx context.Context, db, id string) ([]byte, error) {
	if err := o.read("text", db, id); err != nil {
		return nil, err
	}
	return o.Store.Text(ctx, db, id)
}

func (o *observed) Attachment(ctx context.Context, db, id, name string) ([]byte, error) {
	if err := o.read(name, db, id); err != nil {
		return nil, err
	}
	return o.Store.Attachment(ctx, db, id, name)
}

func (o *observed) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	if err := o.read(view, db, ""); err != nil {
		return err
	}
	return o.Store.View(ctx, db, design, view, q, each)
}

func openKazoo(t testing.TB) *store.Store { t.Helper(); return storetest.Kazoo.Open(t) }

func read(t testing.TB, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decode(t testing.TB, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// update alters a document in the store.
func update(t testing.TB, s *store.Store, db, id string, fields document.Document) {
	t.Helper()
	_, err := s.Update(t.Context(), db, id, func(doc document.Document) error {
		maps.Copy(doc, fields)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// change is a change of one document: of its fields, or nil fields for its deletion.
type change struct {
	home, id string // an account, or a database of the system's
	fields   document.Document
}

func (c change) make(t testing.TB, s *store.Store) {
	t.Helper()
	db := c.home
	if account.ValidID(db) {
		db = database(t, db)
	}
	if c.fields != nil {
		update(t, s, db, c.id, c.fields)
		return
	}
	doc, err := s.Get(t.Context(), db, c.id)
	if err == nil {
		err = s.Delete(t.Context(), db, c.id, doc.Rev())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func database(t testing.TB, id string) string {
	t.Helper()
	name, err := account.Database(id)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// strict returns an Authenticator with default options and the clock at now.
func strict(s auth.Store) *auth.Authenticator {
	return auth.NewAuthenticator(s, auth.Options{Now: at(now)})
}

func authenticate(t testing.TB, a *auth.Authenticator, token string) (*auth.Identity, error) {
	t.Helper()
	identity, err := a.Authenticate(t.Context(), auth.Credentials{Kind: auth.XAuthToken, Token: token})
	if identity != nil {
		if identity.Account == nil || identity.Account.ID != identity.AccountID {
			t.Errorf("identity of account %s has account %+v", identity.AccountID, identity.Account)
		}
		identity.Account = nil // other tests look at accounts
		if identity.By != nil {
			identity.By.Account = nil
		}
	}
	return identity, err
}

func xAuth(token string) auth.Credentials {
	return auth.Credentials{Kind: auth.XAuthToken, Token: token}
}

// checkRefused wants a token to be refused, for a reason that gives nothing away.
func checkRefused(t testing.TB, a *auth.Authenticator, token string, kind fault.Kind) {
	t.Helper()
	_ = refusal(t, a, xAuth(token), kind)
}

// refusal wants credentials to be refused, and returns the reason, which gives nothing away.
func refusal(t testing.TB, a *auth.Authenticator, c auth.Credentials, kind fault.Kind) error {
	t.Helper()
	identity, err := a.Authenticate(t.Context(), c)
	if identity != nil || !fault.Is(err, kind) {
		t.Fatalf("got %+v, %v, want %v", identity, err, kind)
	}
	for _, part := range strings.Split(c.Token, ".") {
		if len(part) > 20 && strings.Contains(err.Error(), part) {
			t.Errorf("the error shows the token: %.300s", err)
		}
	}
	for _, secret := range []string{serverSecret, secretOfUserOfMaster, hashOfA} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows a secret: %.300s", err)
		}
	}
	return err
}

// exampleKey returns the private key of the example, read without the package under test.
func exampleKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	var databases []struct {
		Database string
		Docs     []struct {
			Attachments map[string]struct{ Data []byte } `json:"_attachments"`
		}
	}
	decode(t, read(t, "testdata/example.json"), &databases)
	for _, db := range databases {
		if db.Database == "system_auth" {
			block, _ := pem.Decode(db.Docs[0].Attachments["private_key.pem"].Data)
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			return key
		}
	}
	t.Fatal("no key")
	return nil
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

const header = `{"alg":"RS256","typ":"JWT","kid":"` + kid + `"}`

// tokenOf makes a token for a user of the example.
func tokenOf(t testing.TB, accountID, owner, secret string, more map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "kazoo", "account_id": accountID, "method": "cb_user_auth", "exp": 4102444800,
		"identity_sig": identitySig(owner, secret, serverSecret),
	}
	if owner != accountID {
		claims["owner_id"] = owner
	}
	maps.Copy(claims, more)
	return sign(t, exampleKey(t), crypto.SHA256, header, encodeJSON(t, claims))
}

// sign makes a token out of the texts of its header and its claims.
func sign(t testing.TB, key *rsa.PrivateKey, hash crypto.Hash, header, claims string) string {
	t.Helper()
	return signEncoded(t, key, hash, encode(header)+"."+encode(claims))
}

func signEncoded(t testing.TB, key *rsa.PrivateKey, hash crypto.Hash, text string) string {
	t.Helper()
	h := hash.New()
	h.Write([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// identitySig is written from Kazoo's rules, not from the package under test.
func identitySig(identity, secret, server string) string {
	mac := hmac.New(sha256.New, []byte(secret+server))
	mac.Write([]byte(identity))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// goodClaims returns the claims of the master's user, which a case spoils.
func goodClaims() map[string]any {
	return map[string]any{
		"iss": "kazoo", "account_id": master, "owner_id": userOfMaster, "method": "cb_user_auth",
		"identity_sig": "rj2aISbllULIh6F4T_5U1OnmKNrjWZspeOzJNT57j2o", "exp": 4102444800,
	}
}

func encodeJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
