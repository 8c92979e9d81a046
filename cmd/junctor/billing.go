package main

import (
	"context"
	"strings"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/auth/trust"
	"junctor/pkg/billing"
	"junctor/pkg/metrics"
	"junctor/pkg/store"
)

// biller has the billing hook that approves assignments, and the queues of accounts whose copies have changed.
type biller struct {
	hook   *billing.Hook // nil disables it
	queues []*billing.Queue
	stats  map[string]func() billing.Stats // of the queues, by "hook" and "kazoo"
}

// openBilling returns the clients of --billing-url and --kazoo-url.
func (f *serveFlags) openBilling(s *store.Store, m *metrics.Metrics, log zerolog.Logger) (*biller, error) {
	b := &biller{stats: map[string]func() billing.Stats{}}
	if f.billingURL != "" {
		hook, err := billing.New(billing.Options{
			URL: f.billingURL, AllowOnError: f.billingOnError == "allow", Observe: m.ObserveBilling, Log: log,
		})
		if err != nil {
			return nil, err
		}
		m.WatchHook(hook.Stats)
		b.hook, b.stats["hook"] = hook, hook.Stats
		b.queues = append(b.queues, hook.Queue)
	}
	if f.kazooURL != "" {
		kazoo, err := newKazoo(f.kazooURL, s, f.node(), billing.KazooOptions{Observe: m.ObserveBilling, Log: log})
		if err != nil {
			return nil, err
		}
		m.WatchKazoo(kazoo.Stats)
		b.stats["kazoo"] = kazoo.Stats
		b.queues = append(b.queues, kazoo.Queue)
	}
	return b, nil
}

// newKazoo returns the Crossbar at a URL, to which the master account of a store logs in.
func newKazoo(url string, s account.Reader, node account.Node, o billing.KazooOptions) (*billing.Kazoo, error) {
	root, err := kazooRoot(url)
	if err != nil {
		return nil, err
	}
	o.URL = root
	o.APIKey = func(ctx context.Context) (string, error) { return account.MasterAPIKey(ctx, s, node) }
	return billing.NewKazoo(o), nil
}

// kazooRoot returns the URL to which the paths of a Crossbar are added. Its API's own URL, which ends in /v2, is
// accepted, too. Errors do not repeat the URL.
func kazooRoot(url string) (string, error) {
	root, err := trust.NormalizeURL(url)
	return strings.TrimSuffix(root, "/v2"), err
}

// changed queues an account whose copies have changed.
func (b *biller) changed(ctx context.Context, accountID string) {
	for _, q := range b.queues {
		q.Reconcile(ctx, accountID)
	}
}
