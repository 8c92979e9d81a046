package account_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

func bootstrap(t *testing.T, s account.Store) account.Bootstrapped {
	t.Helper()
	b, err := newProvisioner(s).Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	hex32 = regexp.MustCompile(`^[0-9a-f]{32}$`)
	hex64 = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// checkWhole says what a bootstrapped store lacks or contradicts itself in.
func checkWhole(t *testing.T, s *store.Store, b account.Bootstrapped) {
	t.Helper()
	if !hex32.MatchString(b.AccountID) || !hex64.MatchString(b.APIKey) || !hex32.MatchString(b.ClusterID) {
		t.Fatalf("bootstrapped %+v", b)
	}
	for _, db := range []string{"dedicated_ips", "token_auth"} {
		if ok, err := s.DatabaseExists(t.Context(), db); !ok || err != nil {
			t.Errorf("database %s: %v, %v", db, ok, err)
		}
	}
	auth, _ := get(t, s, "system_config", "auth")["default"].(map[string]any)
	if secret, _ := auth["secret_for_user_signature"].(string); !hex32.MatchString(secret) {
		t.Errorf("system_config/auth: %v", auth)
	}
	kid, _ := auth["system_key"].(string)
	if key := get(t, s, "system_auth", kid); key.String("pvt_type") != "system_key" {
		t.Errorf("key %v", key)
	}
	if pem, err := s.Attachment(t.Context(), "system_auth", kid, "private_key.pem"); err != nil || len(pem) == 0 {
		t.Errorf("private key: %v", err)
	}
	if services := get(t, s, "services", b.AccountID); !services.Bool("pvt_reseller") {
		t.Errorf("services %v", services)
	}
	checkMaster(t, s, b)
}

func checkMaster(t *testing.T, s *store.Store, b account.Bootstrapped) {
	t.Helper()
	own, copied := get(t, s, database(t, b.AccountID), b.AccountID), get(t, s, "accounts", b.AccountID)
	delete(own, "_rev")
	delete(copied, "_rev")
	if !reflect.DeepEqual(own, copied) {
		t.Errorf("the account is %v, its copy %v", own, copied)
	}
	for field, want := range map[string]any{
		"pvt_api_key": b.APIKey, "pvt_superduper_admin": true, "pvt_type": "account", "pvt_vsn": "1",
		"pvt_account_id": b.AccountID, "pvt_enabled": true, "pvt_created": document.Number(63962539200),
		"pvt_account_db": "account%2F" + b.AccountID[:2] + "%2F" + b.AccountID[2:4] + "%2F" + b.AccountID[4:],
	} {
		if own[field] != want {
			t.Errorf("%s of the master is %v, want %v", field, own[field], want)
		}
	}
	if node := own.String("pvt_node"); !strings.HasPrefix(node, "junctor@") {
		t.Errorf("pvt_node %q", node)
	}
	ownViews(t, s)
	found, err := account.NewDirectory(s).ByAPIKey(t.Context(), b.APIKey)
	if err != nil || found.ID != b.AccountID {
		t.Errorf("by its key: %+v, %v", found, err)
	}
	if n := countAccounts(t, s); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

func countAccounts(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), "accounts", "junctor", "by_api_key", store.Query{},
		func(store.Row) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBootstrapIsIdempotent(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := bootstrap(t, s)
	checkWhole(t, s, first)
	if again := bootstrap(t, s); again != first {
		t.Errorf("first %+v, then %+v", first, again)
	}
	// A setting that an operator took out comes back; the others stay.
	change(t, s, "system_config", "cluster", document.Document{"default": map[string]any{"zones": map[string]any{}}})
	again := bootstrap(t, s)
	if again.ClusterID == first.ClusterID || again.AccountID != first.AccountID {
		t.Errorf("first %+v, then %+v", first, again)
	}
	cluster, _ := get(t, s, "system_config", "cluster")["default"].(map[string]any)
	if _, ok := cluster["zones"]; !ok {
		t.Errorf("cluster %v", cluster)
	}
}

func TestBootstrapAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	results := make([]account.Bootstrapped, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			var err error
			if results[i], err = newProvisioner(s).Bootstrap(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, b := range results {
		if b != results[0] {
			t.Errorf("one bootstrapped %+v, another %+v", results[0], b)
		}
	}
	checkWhole(t, s, results[0])
}

// TestBootstrapCutOff ends a bootstrap after each of its writes, and lets another one finish.
func TestBootstrapCutOff(t *testing.T) {
	t.Parallel()
	for _, loseLast := range []bool{false, true} {
		finished := false
		for writes := 0; !finished; writes++ {
			t.Run(fmt.Sprintf("after %d, response lost %v", writes, loseLast), func(t *testing.T) {
				s := open(t)
				_, err := newProvisioner(cutAfter(s, writes, loseLast)).Bootstrap(t.Context())
				if err != nil && !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				finished = err == nil
				if kazoo, err := newProvisioner(s).ManagedByKazoo(t.Context()); kazoo || err != nil {
					t.Errorf("what is left looks like a Kazoo: %v", err)
				}
				b := bootstrap(t, s)
				checkWhole(t, s, b)
				if again := bootstrap(t, s); again != b {
					t.Errorf("first %+v, then %+v", b, again)
				}
			})
			if writes > 100 {
				t.Fatal("a bootstrap does not end")
			}
		}
	}
}

func TestBootstrapLeavesKazooAlone(t *testing.T) {
	t.Parallel()
	s := openKazoo(t)
	want := account.Bootstrapped{
		AccountID: accountM,
		APIKey:    "742db687e10725fa8baee2bc7067393451d0b4eeb2f29b2cd0d44607ee6556d8",
		ClusterID: "c6859db6813a0a4507b07b3491e1d9e6",
	}
	if got := bootstrap(t, cutAfter(s, 0, false)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	provisioner := newProvisioner(cutAfter(s, 0, false))
	if _, err := provisioner.Create(t.Context(), account.NewAccount{Name: "x"}); !errors.Is(err, account.ErrManagedByKazoo) {
		t.Errorf("create: %v", err)
	}
}

func TestBootstrapOfAnIncompleteKazoo(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testing.T, *store.Store){
		"no master account in system_config/accounts": func(t *testing.T, s *store.Store) {
			change(t, s, "system_config", "accounts", document.Document{"default": nil})
		},
		"no document of its master account " + accountM: func(t *testing.T, s *store.Store) {
			doc := get(t, s, database(t, accountM), accountM)
			if err := s.Delete(t.Context(), database(t, accountM), accountM, doc.Rev()); err != nil {
				t.Fatal(err)
			}
		},
		"no API key in its master account " + accountM: func(t *testing.T, s *store.Store) {
			change(t, s, database(t, accountM), accountM, document.Document{"pvt_api_key": nil})
		},
		"no cluster id in system_config/cluster": func(t *testing.T, s *store.Store) {
			change(t, s, "system_config", "cluster", document.Document{"default": nil})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openKazoo(t)
			spoil(t, s)
			_, err := newProvisioner(cutAfter(s, 0, false)).Bootstrap(t.Context())
			if !fault.Is(err, fault.DatastoreFault) || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}
