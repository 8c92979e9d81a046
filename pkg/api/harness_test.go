package api_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/accountlist"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/auth/remote"
	"junctor/pkg/auth/trust"
	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/history"
	"junctor/pkg/inventory"
	"junctor/pkg/metrics"
	"junctor/pkg/pooldb"
	"junctor/pkg/routing"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
	"junctor/pkg/testutil/leak"
	"junctor/schemas"
)

// The accounts of kazoo-db: M is the master, A and B are its children, A1 is a child of A.
const (
	accountM  = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	accountA  = "20d27928305e257782655b7896c79f14"
	accountB  = "09c766718e5cfdbc70c929dccb4e00fc"
	accountA1 = "3a583234b29d88662d41c309f3dfa1e1"
)

// accountD is made and deleted in the recordings.
const accountD = "6ba7649365da8502c102a8912c8705c1"

// accountIDs are the accounts by the names that the recordings give their tokens.
var accountIDs = map[string]string{"M": accountM, "A": accountA, "B": accountB, "A1": accountA1}

// the is what all tests of the package share.
var the struct{ log logBuffer }

// TestMain looks through the log of all tests when they are done: none of the secrets may be in it.
func TestMain(m *testing.M) {
	code := leak.RunShort(m)
	if err := keepRecorded(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "FAIL:", err)
		code = 1
	}
	for _, name := range theContract().report(code == 0 && everything()) {
		_, _ = fmt.Fprintln(os.Stderr, "FAIL: no test has a success of", name)
		code = 1
	}
	for _, secret := range leaked(the.log.String()) {
		_, _ = fmt.Fprintln(os.Stderr, "FAIL: a secret is in the log:", secret)
		code = 1
	}
	os.Exit(code)
}

// everything reports whether all tests of the package were run.
func everything() bool {
	for _, name := range []string{"test.run", "test.skip", "test.bench", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// clock is a clock that stands where it is set.
type clock struct{ at atomic.Int64 }

func (c *clock) set(at time.Time) { c.at.Store(at.Unix()) }
func (c *clock) now() time.Time   { return time.Unix(c.at.Load(), 0).UTC() }

// recorded is a time at which every token in the recordings was good.
var recorded = time.Date(2026, 11, 22, 4, 20, 0, 0, time.UTC)

// onStores runs a suite on each kind of store, filled.
func onStores(t *testing.T, filled *storetest.Template, suite func(t *testing.T, s *store.Store)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		suite(t, filled.Open(t))
	})
	t.Run("couchdb", func(t *testing.T) {
		t.Parallel()
		s := storetest.Open(t, storetest.FreshCouch(t))
		filled.Fill(t, s)
		suite(t, s)
	})
}

// kazooTemplate is what most tests need: the recorded database.
var kazooTemplate = storetest.Template{Fill: loadKazoo}

// loadKazoo fills a store with what a real Kazoo wrote, and installs what a server of ours adds.
func loadKazoo(t testing.TB, s *store.Store) {
	t.Helper()
	testutil.LoadKazoo(t, s)
	if err := errors.Join(pooldb.Install(t.Context(), s), history.Install(t.Context(), s)); err != nil {
		t.Fatal(err)
	}
}

// service is a server under test, and a client of it.
type service struct {
	testing.TB
	store *store.Store
	url   string
	addr  string
	clock *clock
	log   *logBuffer // of this server only
	keys  map[string]string
}

// newService serves a store. Changes are made to the configuration before.
func newService(t testing.TB, s *store.Store, changes ...func(*api.Config)) *service {
	t.Helper()
	sv := &service{TB: t, store: s, clock: &clock{}, log: &logBuffer{}, keys: map[string]string{}}
	sv.clock.set(recorded)
	c := newConfig(t, s, sv.clock.now)
	c.Log = zerolog.New(io.MultiWriter(&the.log, sv.log))
	for _, change := range changes {
		change(&c)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.New(c).HTTP()
	server.Config.Handler = validating(t, c.Format, server.Config.Handler)
	server.Start()
	t.Cleanup(server.Close)
	sv.url, sv.addr = server.URL, server.Listener.Addr().String()
	return sv
}

// newConfig wires the packages together as the command does.
func newConfig(t testing.TB, s *store.Store, now func() time.Time) api.Config {
	t.Helper()
	set, err := schema.Load(schemas.Files)
	if err != nil {
		t.Fatal(err)
	}
	log := zerolog.New(&the.log)
	accounts := account.NewDirectory(s)
	events := history.New(s, now, log)
	pool := dedicatedip.New(s, dedicatedip.Options{
		Zone: "local", Settings: account.NewConfig(s), Now: now, History: events, Log: log,
	})
	return api.Config{
		Config: crossbar.Config{
			Accounts:    accounts,
			Tokens:      auth.NewAuthenticator(s, auth.Options{Now: now}),
			Throttle:    ratelimit.New(now),
			Clusters:    remote.New(trust.NewRegistry(s, trust.Options{Now: now}), now),
			MaxRequests: 128,
			Node:        "junctor@test",
			Version:     "0.0.0",
			Now:         now,
			Log:         log,
		},
		Pool:        pool,
		Inventory:   inventory.New(pool, accountlist.New(s, accounts, 0, log), s),
		History:     events,
		Routing:     routing.New(s, set, routing.Options{Now: now, Log: log}),
		Issuer:      auth.NewIssuer(s, now),
		Schemas:     set,
		IssueTokens: true,
		Metrics:     metrics.New(),
		Ready:       func(context.Context) string { return "" },
		Health: func(context.Context) api.Health {
			return api.Health{
				Store: api.StoreHealth{Kind: "embedded", Status: "ok"}, CopiesRepaired: map[string]uint64{},
				Billing: map[string]api.QueueHealth{}, Version: "0.0.0",
			}
		},
		Format: api.Documented,
	}
}

// kazoo serves the recorded database on an embedded store, which is all that most tests need.
func kazoo(t testing.TB, changes ...func(*api.Config)) *service {
	t.Helper()
	s := kazooTemplate.Open(t)
	return newService(t, s, changes...)
}
