package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/auth/kazoocluster"
	"junctor/pkg/cluster"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/notice"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/schemas"
)

// workplace is an open store with what works on it.
type workplace struct {
	store    *store.Store
	schemas  *schema.Set
	pool     *dedicatedip.Pool
	healer   *dedicatedip.Reconciler // of the accounts' copies
	founder  *account.Founder
	accounts *account.Directory
	clusters *kazoocluster.Registry // whose tokens are taken
	routing  *cluster.Registry      // where calls come from and go to
}

// workOptions adjusts a workplace.
type workOptions struct {
	key     keySource
	zone    string
	log     zerolog.Logger
	healing dedicatedip.ReconcilerOptions
	outbox  *notice.Outbox // is told what is written to the pool and to accounts; nil is nobody
}

func newWorkplace(s *store.Store, o workOptions) (*workplace, error) {
	set, err := schema.Load(schemas.Files)
	if err != nil {
		return nil, err
	}
	var addresses dedicatedip.Store = s
	if o.outbox != nil {
		addresses = notice.Wrap(s, o.outbox)
	}
	pool := dedicatedip.New(addresses, set, o.zone, time.Now, o.log)
	return &workplace{
		store:    s,
		schemas:  set,
		pool:     pool,
		healer:   dedicatedip.NewReconciler(pool, s, o.healing), // it writes copies as the pool does
		founder:  account.NewFounder(s, auth.NewKeyDocument, time.Now),
		accounts: account.NewDirectory(s),
		routing:  cluster.New(s, set, cluster.Options{Log: o.log}),
		clusters: kazoocluster.NewRegistry(s, kazoocluster.Options{Key: o.key}),
	}, nil
}

// bootstrap makes the store usable.
func (w *workplace) bootstrap(ctx context.Context) (account.Bootstrapped, error) {
	b, err := w.founder.Bootstrap(ctx)
	if err != nil {
		return b, err
	}
	return b, install(ctx, w.store)
}
