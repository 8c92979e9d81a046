package account_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

func TestGet(t *testing.T) {
	t.Parallel()
	d := account.NewDirectory(openKazoo(t))

	got, err := d.Get(t.Context(), accountA1)
	if err != nil {
		t.Fatal(err)
	}
	want := &account.Account{
		ID: accountA1, Name: "Account A1", Realm: "a1.example.com", Tree: []string{accountM, accountA}, Enabled: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	master, err := d.Get(t.Context(), accountM)
	if err != nil || !master.Superduper || len(master.Tree) != 0 {
		t.Errorf("master: %+v, %v", master, err)
	}
}

func TestGetReadsFlagsAsKazooDoes(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	d := account.NewDirectory(s)
	for _, c := range []struct {
		field string
		value any
		read  func(*account.Account) any
		want  any
	}{
		{"pvt_superduper_admin", "true", func(a *account.Account) any { return a.Superduper }, true},
		{"pvt_superduper_admin", "yes", func(a *account.Account) any { return a.Superduper }, false},
		{"pvt_superduper_admin", document.Number(1), func(a *account.Account) any { return a.Superduper }, false},
		{"pvt_enabled", false, func(a *account.Account) any { return a.Enabled }, false},
		{"pvt_enabled", "false", func(a *account.Account) any { return a.Enabled }, false},
		{"pvt_enabled", nil, func(a *account.Account) any { return a.Enabled }, true},
		{"pvt_deleted", true, func(a *account.Account) any { return a.Deleted }, true},
		{"pvt_trial_expires", document.Number(63962540127), func(a *account.Account) any { return a.TrialExpires },
			int64(63962540127)},
		{"pvt_trial_expires", "soon", func(a *account.Account) any { return a.TrialExpires }, int64(0)},
		{"pvt_tree", nil, func(a *account.Account) any { return len(a.Tree) }, 0},
	} {
		change(t, s, database(t, accountB), accountB, document.Document{c.field: c.value})
		b, err := d.Get(t.Context(), accountB)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.read(b); got != c.want {
			t.Errorf("%s %v: got %v, want %v", c.field, c.value, got, c.want)
		}
	}
}

func TestGetUnknown(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	empty := strings.Repeat("e", 32)
	create(t, s, database(t, empty))
	d := account.NewDirectory(s)
	for _, id := range []string{empty, strings.Repeat("f", 32), strings.ToUpper(accountA), "xyz", "", "_design/accounts"} {
		_, err := d.Get(t.Context(), id)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.BadIdentifier {
			t.Errorf("%q: %v", id, err)
			continue
		}
		if want := map[string]any{"cause": id, "message": "bad identifier"}; !reflect.DeepEqual(f.Data, want) {
			t.Errorf("%q: data %v", id, f.Data)
		}
	}
}

func TestByAPIKey(t *testing.T) {
	t.Parallel()
	for name, views := range map[string]func(*testing.T, *store.Store){"Kazoo's": kazooViews, "ours": ownViews} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openKazoo(t)
			views(t, s)
			d := account.NewDirectory(s)
			got, err := d.ByAPIKey(t.Context(), keyA)
			if err != nil || got.ID != accountA {
				t.Errorf("got %+v, %v", got, err)
			}
			for _, key := range []string{strings.ToUpper(keyA), keyA[1:], keyA + "\x00", "", "\u200d" + keyA} {
				if got, err := d.ByAPIKey(t.Context(), key); !fault.Is(err, fault.BadIdentifier) {
					t.Errorf("key %q: %+v, %v", key, got, err)
				}
			}
			change(t, s, "accounts", accountA, document.Document{"pvt_deleted": true})
			if got, err := d.ByAPIKey(t.Context(), keyA); !fault.Is(err, fault.BadIdentifier) {
				t.Errorf("deleted account: %+v, %v", got, err)
			}
		})
	}
}

func TestByAPIKeyWithoutViewsIsNoUnknownKey(t *testing.T) {
	t.Parallel()
	_, err := account.NewDirectory(openKazoo(t)).ByAPIKey(t.Context(), keyA)
	if !fault.Is(err, fault.DatastoreMissingView) {
		t.Errorf("got %v", err)
	}
	if _, err := account.NewDirectory(open(t)).ByAPIKey(t.Context(), keyA); !fault.Is(err, fault.BadIdentifier) {
		t.Errorf("nothing bootstrapped: %v", err)
	}
}

func TestReseller(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	d := account.NewDirectory(s)
	check := func(id, want string, wantSelf bool) {
		t.Helper()
		a, err := d.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got, self, err := d.Reseller(t.Context(), a)
		if err != nil || got != want || self != wantSelf {
			t.Errorf("reseller of %s: %s, %v, %v; want %s, %v", a.Name, got, self, err, want, wantSelf)
		}
	}
	check(accountM, accountM, true)
	check(accountA, accountM, false)
	check(accountA1, accountM, false)
	change(t, s, "services", accountA, document.Document{"pvt_reseller": true})
	check(accountA, accountM, true)
	check(accountA1, accountA, false)
	change(t, s, "services", accountM, document.Document{"pvt_reseller": false})
	check(accountB, accountM, false)

	child := &account.Account{ID: accountA, Tree: []string{accountM}}
	if id, self, err := account.NewDirectory(open(t)).Reseller(t.Context(), child); id != "" || self || err != nil {
		t.Errorf("nothing bootstrapped: %q, %v, %v", id, self, err)
	}
}

// TestDescribe compares with what a real Crossbar responded to the logins of M and A.
func TestDescribe(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/login.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []document.Document
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	d := account.NewDirectory(openKazoo(t))
	for _, want := range recorded {
		a, err := d.Get(t.Context(), want.String("account_id"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Describe(t.Context(), a)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", a.Name, got, err, want)
		}
	}
}

func TestConfigOfAnEmptyStore(t *testing.T) {
	t.Parallel()
	c := account.NewConfig(open(t))
	if id, err := c.Master(t.Context()); id != "" || err != nil {
		t.Errorf("master %q, %v", id, err)
	}
	if n, ok, err := c.Int(t.Context(), "crossbar.auth", "auth_modules", "cb_api_auth", "token_auth_expiry_s"); ok {
		t.Errorf("expiry %d, %v", n, err)
	}
}

func TestEnsureSecretOfAnAccount(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	change(t, s, database(t, accountB), accountB, document.Document{"pvt_signature_secret": nil})
	change(t, s, "accounts", accountB, document.Document{"pvt_signature_secret": nil})
	d := account.NewDirectory(s)
	secrets := make([]string, 8)
	var wg sync.WaitGroup
	for i := range secrets {
		wg.Go(func() {
			var err error
			if secrets[i], err = d.EnsureSecret(t.Context(), accountB, accountB); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	own, copied := get(t, s, database(t, accountB), accountB), get(t, s, "accounts", accountB)
	for _, secret := range append(secrets, copied.String("pvt_signature_secret")) {
		if secret != own.String("pvt_signature_secret") || len(secret) != 32 {
			t.Errorf("got %q, stored is %q", secret, own.String("pvt_signature_secret"))
		}
	}
	if own["pvt_modified"] != document.Number(63962540239) {
		t.Errorf("pvt_modified is %v", own["pvt_modified"])
	}
}
