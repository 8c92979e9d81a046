package main

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
)

// prepare makes the store hold what requests need. An embedded store is ours, and is bootstrapped. A CouchDB may be
// a Kazoo's, or become one: it gets the design documents that we need, and whatever else it lacks makes requests
// fail until somebody bootstraps it.
func (s *server) prepare(ctx context.Context) error {
	if store.IsCouchDB(s.dsn) {
		return s.installPatiently(ctx)
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
	if statefile.IsFull(err) { // what is in the store can be served all the same
		s.log.Warn().Err(err).Msg("the master account's API key is not written to its file")
		return nil
	}
	return err
}

// How long to wait before a CouchDB that did not answer is tried again: the first time, and at most. One that does not
// take the password is tried too seldom to lock the name out (see store.Refused).
const (
	firstWait   = 100 * time.Millisecond
	lastWait    = 5 * time.Second
	refusedWait = 90 * time.Second
)

// installPatiently keeps trying until the CouchDB is there: the two may be started in any order.
func (s *server) installPatiently(ctx context.Context) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := install(ctx, s.store)
		if errors.Is(err, dedicatedip.ErrPoolMissing) {
			s.log.Error().Err(err).Msg("requests for dedicated IPs fail")
			err = nil
		}
		if err == nil {
			err = s.routing.Load(ctx)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.unprepared.Store(&err)
		if store.Refused(err) {
			wait = refusedWait
		}
		s.log.Warn().Err(s.explain(err)).Stringer("again_in", wait).Msg("the store can't be prepared")
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}
