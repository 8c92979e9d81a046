package main

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth/trust"
	"junctor/pkg/backoff"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/routing"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
)

// install creates the databases and design documents of ours that are missing. A pool that existed and is gone is not
// created: that is a projection.ErrPoolMissing, and all else is there.
func install(ctx context.Context, s *store.Store) error {
	return installAfter(ctx, s, pooldb.Install(ctx, s))
}

// installAgain is install for a store that has been served already. Even if the record that the pool has existed is gone
// as well, an empty pool is not created: it would take the addresses from all accounts.
func installAgain(ctx context.Context, s *store.Store) error {
	exists, err := s.DatabaseExists(ctx, dedicatedip.Database)
	if err != nil {
		return err
	}
	if !exists {
		return installAfter(ctx, s, projection.ErrPoolMissing)
	}
	return install(ctx, s)
}

// installAfter installs all but the pool; poolErr is what became of that.
func installAfter(ctx context.Context, s *store.Store, poolErr error) error {
	if poolErr != nil && !errors.Is(poolErr, projection.ErrPoolMissing) {
		return poolErr
	}
	if err := s.CreateDatabase(ctx, trust.Database); err != nil {
		return err
	}
	if err := routing.Install(ctx, s); err != nil {
		return err
	}
	if err := history.Install(ctx, s); err != nil {
		return err
	}
	if err := account.Install(ctx, s); err != nil {
		return err
	}
	return poolErr
}

// installWithoutPool is install for commands that can do without the pool.
func installWithoutPool(ctx context.Context, s *store.Store) error {
	if err := install(ctx, s); !errors.Is(err, projection.ErrPoolMissing) {
		return err
	}
	return nil
}

// prepare makes the store hold what requests need. An embedded store is ours, and is bootstrapped. A CouchDB may be or
// become a Kazoo's: it gets our databases and design documents, and until somebody bootstraps it /readyz is 503.
func (s *server) prepare(ctx context.Context) error {
	if store.IsCouchDB(s.dsn) {
		return s.retry(ctx, func() error {
			err := s.withoutPool(install(ctx, s.store))
			if err == nil {
				err = s.routing.Load(ctx)
			}
			return err
		})
	}
	admin, err := s.bootstrap(ctx)
	if err != nil {
		return err
	}
	if err := s.routing.Load(ctx); err != nil {
		return err
	}
	s.admin = admin
	err = writeJSON(adminFile(s.home), 0o600, admin)
	if statefile.IsFull(err) { // the store can be served all the same
		s.log.Warn().Err(err).Msg("the master account's API key is not written to its file")
		return nil
	}
	return err
}

// The pauses before another attempt at a CouchDB: the first, the longest, and that after it has refused the password,
// which is long enough not to lock the name out (see store.Refused).
const (
	firstWait   = 100 * time.Millisecond
	lastWait    = 5 * time.Second
	refusedWait = 90 * time.Second
)

// retry retries an installation until it succeeds or ctx ends: server and CouchDB may be started in any order.
func (s *server) retry(ctx context.Context, install func() error) error {
	for pauses := backoff.New(firstWait, lastWait); ; {
		err := install()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s.unprepared.Load() != nil {
			s.unprepared.Store(&err)
		}
		wait := pauses.Next()
		if store.Refused(err) {
			wait = refusedWait
		}
		s.log.Warn().Err(s.explain(err)).Stringer("again_in", wait).Msg("the store can't be prepared")
		_ = backoff.Sleep(ctx, wait)
	}
}

// withoutPool returns the error of an installation, but for a missing pool, which it logs once: the rest can be served.
func (s *server) withoutPool(err error) error {
	missing := errors.Is(err, projection.ErrPoolMissing)
	if missing && !s.poolMissing {
		s.log.Error().Err(err).Msg("requests for dedicated IPs fail")
	}
	s.poolMissing = missing
	if missing {
		return nil
	}
	return err
}

// errUnprepared is what keeps a store from being used before the first attempt to prepare it.
var errUnprepared error = fault.New(fault.DatastoreUnreachable, "the store is not prepared yet")

// watchStore requests a repair of a database of ours if a call of the store has failed because it, or a design document in
// it, is missing: somebody has deleted or replaced the database.
func watchStore(repair chan<- string, c store.Call) {
	switch c.Database {
	case routing.Database, routing.ClaimsDatabase, trust.Database, projection.StateDatabase, dedicatedip.Database,
		history.Database:
	default:
		return
	}
	if !fault.Is(c.Err, fault.DatastoreMissing) && !fault.Is(c.Err, fault.DatastoreMissingView) {
		return
	}
	select {
	case repair <- c.Database:
	default: // requested already
	}
}

// repairPause is the time between two repairs.
const repairPause = time.Second

// repairStore installs again what is missing, on request, until ctx ends.
func (s *server) repairStore(ctx context.Context) {
	for {
		var database string
		select {
		case <-ctx.Done():
			return
		case database = <-s.repair:
		}
		if err := s.retry(ctx, func() error { return s.withoutPool(installAgain(ctx, s.store)) }); err != nil {
			return
		}
		if !s.poolMissing {
			s.log.Warn().Str("database", database).
				Msg("a database of junctor's own, or a design document in it, was missing; it was installed again")
			s.routing.Reload() // a new database has nothing to do with what is known of the old one
		}
		_ = backoff.Sleep(ctx, repairPause)
	}
}
