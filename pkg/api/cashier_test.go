package api_test

import (
	"context"
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/billing"
	"junctor/pkg/billing/billingtest"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// cashier is a billing hook beside a service, which counts what Kazoo would count.
type cashier struct {
	*billingtest.Hook
	testing.TB
	store *store.Store
}

func newCashier(t testing.TB, s *store.Store) *cashier {
	t.Helper()
	c := &cashier{TB: t, store: s}
	c.Hook = billingtest.Start(t, c.count)
	keep(billingtest.Password)
	return c
}

// count reads Kazoo's view.
func (c *cashier) count(account string) (n int) {
	err := c.store.View(context.Background(), databaseOf(account), "services", "quantify",
		store.Query{Key: []any{"ips", "dedicated"}, Group: true}, func(row store.Row) error { return row.Value(&n) })
	if err != nil {
		c.Error(err)
	}
	return n
}

// counts waits until Kazoo's view counts so many: a request waits for the accounts' copies for 2 s at most.
func (c *cashier) counts(account string, want int) {
	c.Helper()
	testutil.Eventually(c, "Kazoo to count as many", func() bool { return c.count(account) == want }, want)
}

// serve wires the hook to a service, as the command does.
func (c *cashier) serve(changes ...func(*billing.Options)) func(*api.Config) {
	return func(config *api.Config) {
		o := billing.Options{URL: c.At(), Observe: config.Metrics.ObserveBilling, Log: config.Log}
		for _, change := range changes {
			change(&o)
		}
		hook, err := billing.New(o)
		if err != nil {
			c.Fatal(err)
		}
		config.Billing = hook
		config.Metrics.WatchHook(hook.Stats)
		config.Pool = dedicatedip.New(c.store,
			dedicatedip.Options{Zone: "local", Now: config.Now, Copies: projection.Options{Written: hook.Reconcile}, Log: config.Log})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			hook.Run(ctx)
		}()
		c.Cleanup(func() {
			cancel()
			<-done
			hook.Close()
		})
	}
}

// billed serves the recorded database with a hook beside it.
func billed(t testing.TB, changes ...func(*billing.Options)) (*service, *cashier) {
	t.Helper()
	s := kazooTemplate.Open(t)
	c := newCashier(t, s)
	return newService(t, s, c.serve(changes...)), c
}

// follow takes over which plans a recording puts accounts on.
func (c *cashier) follow(e exchange) {
	for db, docs := range e.Changes {
		for _, doc := range docs {
			if db != "services" {
				continue
			}
			c.Uncharge(doc.ID())
			plans, _ := doc["plans"].(map[string]any)
			for range plans { // there is only one in the recordings, and this is what it says
				c.Charge(doc.ID(), billingtest.Plan{Name: "Dedicated IP", Rate: 5, Vendor: accountM})
			}
		}
	}
}
