package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// cached makes a server read accounts, keys, settings and addresses from memory, as the command does.
func cached(t testing.TB, s *store.Store, staleness time.Duration) func(*api.Config) {
	t.Helper()
	documents := doccache.New(s, doccache.Options{Staleness: staleness})
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		following.Wait()
		documents.Close()
	})
	return func(c *api.Config) {
		c.Pool = dedicatedip.New(s, dedicatedip.Options{
			Zone: "local", Settings: account.NewConfig(documents), Now: c.Now, History: c.History, Log: c.Log,
		})
		following.Go(func() { c.Pool.Follow(ctx, time.Minute) })
		for !c.Pool.FromMemory() {
			time.Sleep(time.Millisecond)
		}
		writer := documents.Writer(s)
		c.Accounts = account.NewDirectory(writer).Reading(documents)
		c.Tokens = auth.NewAuthenticator(s, auth.Options{Now: c.Now, Documents: documents})
		c.Issuer = auth.NewIssuer(writer, c.Now)
		c.Metrics.WatchDocuments(documents.Bytes)
	}
}

// calls records the calls of a store.
type calls struct {
	mu   sync.Mutex
	made []string
}

func (c *calls) observe(call store.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, call.Operation+" "+call.Database)
}

// take returns the calls since it was last asked.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.made
	c.made = nil
	return made
}

// A client that has been here before costs no read of the store while its documents are in the cache, and a change by
// another process counts within the staleness.
func TestWarmRequests(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(t *testing.T) string{
		"embedded": func(*testing.T) string { return "memory:" },
		"couchdb":  func(t *testing.T) string { return storetest.FreshCouch(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made, dsn := &calls{}, where(t)
			here, err := store.Open(dsn, store.Options{Observe: made.observe})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = here.Close() })
			there := here
			if store.IsCouchDB(dsn) {
				there = storetest.Open(t, dsn)
			}
			loadKazoo(t, there)
			w := &warm{service: newService(t, here, cached(t, here, time.Hour)), calls: made}
			w.create("10.9.9.9")
			w.readsOnce()
			w = &warm{service: newService(t, here, cached(t, here, staleness)), calls: made}
			w.changes(there)
		})
	}
}

// staleness is how soon the writes of other processes have to count in TestWarmRequests.
const staleness = time.Second

// warm is a server that caches.
type warm struct {
	*service
	calls *calls
}

// readsOnce makes the same requests several times. Only the first may read the store.
func (w *warm) readsOnce() {
	w.Helper()
	for round := range 3 {
		w.calls.take()
		for _, who := range []string{"M", "A", "alice"} {
			for _, path := range []string{"", "/zones", "/hosts", "/assigned", "/10.9.9.9"} {
				w.want(w.as(who, http.MethodGet, ipsOfA+path, ""), http.StatusOK)
			}
		}
		w.want(w.as("B", http.MethodGet, ipsOfA+"/zones", ""), http.StatusForbidden)
		made := w.calls.take()
		made = slices.DeleteFunc(made, func(call string) bool { return strings.HasPrefix(call, "changes ") })
		if round == 0 && len(made) == 0 || round > 0 && len(made) > 0 {
			w.Errorf("round %d called the store: %q", round, made)
		}
	}
}

// changes writes what decides about a request, as another process, and wants it to count within a second.
func (w *warm) changes(there *store.Store) {
	w.Helper()
	for _, c := range []struct {
		what, db, id string
		fields       document.Document
		who          string
		want         int
	}{
		{"an account below another", databaseOf(accountA), accountA, document.Document{
			"pvt_tree": []any{accountM, accountB}}, "B", http.StatusOK},
		{"superduper no more", databaseOf(accountM), accountM, document.Document{
			"pvt_superduper_admin": false, "pvt_tree": []any{}}, "M", http.StatusOK}, // an ancestor still
		{"an account on its own", databaseOf(accountA), accountA, document.Document{
			"pvt_tree": []any{}}, "M", http.StatusForbidden},
		{"a restriction", databaseOf(accountA), "token_restrictions", document.Document{
			"restrictions": map[string]any{"_": map[string]any{"_": map[string]any{}}}}, "A", http.StatusForbidden},
		{"an account deleted", databaseOf(accountA), accountA, document.Document{
			"pvt_deleted": true}, "A", http.StatusUnauthorized},
	} {
		_, err := there.Update(w.Context(), c.db, c.id, func(doc document.Document) error {
			for name, value := range c.fields {
				doc[name] = value
			}
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
		written := time.Now()
		for asked := time.Now(); ; asked = time.Now() {
			status := w.as(c.who, http.MethodGet, ipsOfA+"/zones", "").status
			if status == c.want {
				break
			}
			if late := asked.Sub(written); late > staleness {
				w.Fatalf("%s: still %d for %s, %v later", c.what, status, c.who, late)
			}
		}
	}
}
