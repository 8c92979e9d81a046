package main

import (
	"context"
	"errors"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/auth/kazoocluster"
	"junctor/pkg/cluster"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// install makes sure of the databases and design documents that are ours to bring. Where the pool is gone, that is a
// dedicatedip.ErrPoolMissing, and the others are there.
func install(ctx context.Context, s *store.Store) error {
	poolErr := dedicatedip.Install(ctx, s)
	if poolErr != nil && !errors.Is(poolErr, dedicatedip.ErrPoolMissing) {
		return poolErr
	}
	if err := kazoocluster.Install(ctx, s); err != nil {
		return err
	}
	if err := cluster.Install(ctx, s); err != nil {
		return err
	}
	if err := installAccountViews(ctx, s); err != nil {
		return err
	}
	return poolErr
}

// installWithoutPool is install for those who can do without the pool.
func installWithoutPool(ctx context.Context, s *store.Store) error {
	if err := install(ctx, s); !errors.Is(err, dedicatedip.ErrPoolMissing) {
		return err
	}
	return nil
}

// installAccountViews gives the database of accounts views of ours for the look-ups that Kazoo's do where a Kazoo
// has installed them. Where the database does not exist yet, whoever bootstraps the store installs them.
func installAccountViews(ctx context.Context, s *store.Store) error {
	_, err := s.Get(ctx, kazoo.Accounts, "_design/accounts")
	if !fault.Is(err, fault.BadIdentifier) {
		if fault.Is(err, fault.DatastoreMissing) {
			return nil
		}
		return err
	}
	views, err := store.Design(couchdbviews.Files, "junctor_accounts.json")
	if err != nil {
		return err
	}
	return s.Install(ctx, kazoo.Accounts, views)
}
