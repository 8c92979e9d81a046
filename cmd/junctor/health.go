package main

import (
	"context"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/api"
	"junctor/pkg/billing"
	"junctor/pkg/kazoo"
	"junctor/pkg/metrics"
	"junctor/pkg/store"
)

// passTime bounds how long GET ips/health waits for the state of full passes.
const passTime = 2 * time.Second

// health returns the state of the server.
func (s *server) health(ctx context.Context, m *metrics.Metrics) api.Health {
	h := api.Health{
		Store:          api.StoreHealth{Kind: "embedded", Status: "ok"},
		CopiesRepaired: m.CopiesRepaired(),
		Billing:        map[string]api.QueueHealth{},
		Version:        version(),
	}
	if store.IsCouchDB(s.dsn) {
		h.Store.Kind = "couchdb"
	}
	if h.Store.Reason = s.readiness(ctx); h.Store.Reason != "" {
		h.Store.Status = "unavailable"
	}
	memory, _ := s.pool.Memory()
	h.Feed = api.FeedHealth{
		Loaded: memory.Loaded, Age: memory.Age.Seconds(), Addresses: memory.Entries, Bypassed: memory.Bypassed,
	}
	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	if began, err := s.reconciler.LastPass(ctx); err == nil && !began.IsZero() {
		h.FullPass = &api.PassHealth{Began: kazoo.Gregorian(began), Age: int64(time.Since(began).Seconds())}
	}
	h.Settings = s.poolSettings(ctx)
	if s.notices != nil {
		n := s.notices.Stats()
		h.Notices = &api.NoticesHealth{
			Connected: n.Connected, Waiting: n.Waiting, Oldest: n.Oldest.Seconds(), Dropped: n.Dropped,
		}
	}
	for name, stats := range s.bills.stats {
		h.Billing[name] = queueHealth(stats())
	}
	return h
}

// poolSettings returns the settings of the pool, nil if they cannot be read.
func (s *server) poolSettings(ctx context.Context) *api.PoolSettings {
	settings := account.NewConfig(s.documents).At(s.node())
	cooling, err := settings.Cooling(ctx)
	if err != nil {
		return nil
	}
	most, limited, err := settings.MaxPerAccount(ctx)
	if err != nil {
		return nil
	}
	p := &api.PoolSettings{Cooling: cooling}
	if limited {
		p.MaxPerAccount = &most
	}
	return p
}

func queueHealth(s billing.Stats) api.QueueHealth {
	return api.QueueHealth{Waiting: s.Waiting, Dropped: s.Dropped}
}
