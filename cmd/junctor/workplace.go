package main

import (
	"context"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/auth/kazoocluster"
	"junctor/pkg/cluster"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/schemas"
)

// workplace is an open store with what works on it.
type workplace struct {
	store    *store.Store
	schemas  *schema.Set
	pool     *dedicatedip.Pool
	founder  *account.Founder
	accounts *account.Directory
	clusters *kazoocluster.Registry // whose tokens are taken
	routing  *cluster.Registry      // where calls come from and go to
}

func openWorkplace(dsn, zone string, key keySource, o store.Options) (*workplace, error) {
	set, err := schema.Load(schemas.Files)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(dsn, o)
	if err != nil {
		return nil, err
	}
	return &workplace{
		store:    s,
		schemas:  set,
		pool:     dedicatedip.New(s, set, zone, time.Now, o.Log),
		founder:  account.NewFounder(s, auth.NewKeyDocument, time.Now),
		accounts: account.NewDirectory(s),
		routing:  cluster.New(s, set, cluster.Options{Log: o.Log}),
		clusters: kazoocluster.NewRegistry(s, kazoocluster.Options{Key: key}),
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
