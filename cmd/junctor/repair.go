package main

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/auth/kazoocluster"
	"junctor/pkg/backoff"
	"junctor/pkg/cluster"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// repairs are asked for when a call of the store finds that one of our databases, or a design document in it, is
// missing: somebody has deleted or replaced the database while the server runs.
type repairs struct{ wanted chan struct{} }

func newRepairs() *repairs { return &repairs{wanted: make(chan struct{}, 1)} }

// observe looks at a finished call of the store.
func (r *repairs) observe(c store.Call) {
	switch c.Database {
	case cluster.Database, cluster.ClaimsDatabase, kazoocluster.Database, dedicatedip.StateDatabase, dedicatedip.Database:
	default:
		return
	}
	if !fault.Is(c.Err, fault.DatastoreMissing) && !fault.Is(c.Err, fault.DatastoreMissingView) {
		return
	}
	select {
	case r.wanted <- struct{}{}:
	default: // wanted already
	}
}

// repairPause is the time between two repairs.
const repairPause = time.Second

// repair installs what is missing in our databases again, until ctx ends.
func (s *server) repair(ctx context.Context) {
	poolGone := false // that was logged
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.repairs.wanted:
		}
		err := s.installAgain(ctx)
		gone := errors.Is(err, dedicatedip.ErrPoolMissing)
		switch {
		case err == nil:
			s.log.Warn().Msg("a database of junctor's own, or a design document in it, was missing; it was installed again")
			s.routing.Reload() // a new database has nothing to do with what is known of the old one
		case gone && !poolGone:
			s.log.Error().Err(err).Msg("requests for dedicated IPs fail")
		case !gone && ctx.Err() == nil:
			s.log.Error().Err(err).Msg("a database of junctor's own, or a design document in it, is missing and can't be " +
				"installed")
		}
		poolGone = gone
		_ = backoff.Sleep(ctx, repairPause)
	}
}

// installAgain is install on a store that was served already. The pool is not made again, even if the record that it
// has existed is gone with it: an empty one would take the addresses from all accounts.
func (s *server) installAgain(ctx context.Context) error {
	exists, err := s.store.DatabaseExists(ctx, dedicatedip.Database)
	if err != nil {
		return err
	}
	if !exists {
		return dedicatedip.ErrPoolMissing
	}
	return install(ctx, s.store)
}
