package api_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fresh"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// staleness is how soon what others write counts for servers that remember.
const staleness = time.Second

// remember has a server answer accounts, keys, settings and addresses from memory, as the command's does.
func remember(t testing.TB, s *store.Store) func(*api.Config) {
	t.Helper()
	documents := fresh.New(s, fresh.Options{Staleness: staleness})
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { documents.Follow(ctx, s) })
	t.Cleanup(func() {
		cancel()
		following.Wait()
	})
	return func(c *api.Config) {
		following.Go(func() { c.Pool.Follow(ctx, time.Minute) })
		for !c.Pool.FromMemory() {
			time.Sleep(time.Millisecond)
		}
		writing := documents.Writing(s)
		c.Accounts = account.NewDirectory(writing).Reading(documents)
		c.Tokens = auth.NewAuthenticator(s, auth.Options{Now: c.Now, Documents: documents})
		c.Issuer = auth.NewIssuer(writing, c.Now)
		c.Metrics.WatchDocuments(documents.Stats)
	}
}

// calls takes down what a store is asked, but for how far feeds are.
type calls struct {
	mu   sync.Mutex
	made []string
}

func (c *calls) observe(call store.Call) {
	if call.Operation == "sequences" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, call.Operation+" "+call.Database)
}

// take answers the calls since it was last asked.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.made
	c.made = nil
	return made
}

// TestWarmRequests: to find out who asks and what they may do is not to ask the store, once they have been there; and
// what another process writes still counts within a second.
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
			w := &warm{service: newService(t, here, remember(t, here)), calls: made}
			w.create("10.9.9.9")
			w.settles()
			w.changes(there)
		})
	}
}

// warm is a server that remembers.
type warm struct {
	*service
	calls *calls
}

// settles makes requests of everybody about everything until none has asked the store anything for longer than a
// reading stands by itself.
func (w *warm) settles() {
	w.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for quiet := time.Now(); time.Since(quiet) < staleness*3/2; time.Sleep(10 * time.Millisecond) {
		for _, who := range []string{"M", "A", "alice"} {
			for _, path := range []string{"", "/zones", "/hosts", "/assigned", "/10.9.9.9"} {
				w.want(w.as(who, http.MethodGet, ipsOfA+path, ""), http.StatusOK)
			}
		}
		w.want(w.as("B", http.MethodGet, ipsOfA+"/zones", ""), http.StatusForbidden)
		made := w.calls.take()
		if len(made) > 0 {
			quiet = time.Now()
		}
		if time.Now().After(deadline) {
			slices.Sort(made)
			w.Fatalf("the store is asked again and again: %q", slices.Compact(made))
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
