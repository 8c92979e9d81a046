package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// The reasons of /readyz why a write would not succeed.
const (
	notBootstrapped   = "not_bootstrapped"
	storeUnreachable  = "store_unreachable"
	storeUnauthorized = "store_unauthorized"
	storeFull         = "store_full" // or it refuses writes for another reason
	poolMissing       = "pool_missing"
)

// remedies returns what to do about each reason.
func (s *server) remedies() map[string]string {
	name := store.Redact(s.dsn)
	m := map[string]string{
		notBootstrapped:   `the store is not bootstrapped: run "junctor bootstrap --store ` + name + `"`,
		storeUnreachable:  "check that the CouchDB of --store runs and can be reached from here",
		storeUnauthorized: "CouchDB refuses the user and password of --store, or does not let that user write: correct them and start again",
		storeFull:         "the store accepts no writes: free space on its disk, and check that it is not read-only",
		poolMissing:       dedicatedip.ErrPoolMissing.Error(),
	}
	if !store.IsCouchDB(s.dsn) {
		m[storeUnreachable] = "the file of the store is not in its place"
	}
	return m
}

// The bounds of probes.
const (
	probeAge  = time.Second     // a younger one is not repeated
	probeTime = 5 * time.Second // that one may take
	probeWait = time.Second     // that a caller waits for it
)

// prober finds out whether a write would succeed. It probes only when asked, at most once a second, and makes one probe
// at a time.
type prober struct {
	// probe returns the reason why a write would not succeed, "" if there is none. err is for the log; without a reason
	// it means that the store did not respond.
	probe    func(context.Context) (reason string, err error)
	grace    time.Duration // how long a store may not respond before it counts as unreachable
	remedies map[string]string
	log      zerolog.Logger

	flight    singleflight.Group
	mu        sync.Mutex
	probed    time.Time // when the last finished probe began
	responded time.Time // when the last one began that the store responded to
	reason    string    // what that one returned
	err       error     // of the last one
	logged    *string   // the reason that was logged last; nil if none was
}

// state returns why a write would not succeed, "" if it would, and logs when that changes.
func (p *prober) state(ctx context.Context) (reason string) {
	if !p.fresh() {
		timeout := time.NewTimer(probeWait)
		defer timeout.Stop()
		select {
		case <-p.flight.DoChan("", p.run):
		case <-timeout.C:
		case <-ctx.Done():
		}
	}
	return p.conclude()
}

// fresh reports whether the last probe is as good as a new one.
func (p *prober) fresh() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.probed) < probeAge
}

// forget makes the next call of state probe.
func (p *prober) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probed = time.Time{}
}

// run makes one probe.
func (p *prober) run() (any, error) {
	if p.fresh() { // by another caller, a moment ago
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	began := time.Now()
	reason, err := p.probe(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probed, p.err = began, err
	if reason != "" || err == nil {
		p.responded, p.reason = began, reason
	}
	return nil, nil
}

// conclude returns why a write would not succeed, as of the probes so far.
func (p *prober) conclude() (reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reason = p.reason
	if time.Since(p.responded) > p.grace+probeAge+probeWait {
		reason = storeUnreachable
	}
	if p.logged != nil && *p.logged == reason {
		return reason
	}
	p.logged = &reason
	if reason == "" {
		p.log.Info().Msg("ready")
	} else {
		p.log.Warn().Str("reason", reason).Err(p.err).Msg("not ready: " + p.remedies[reason])
	}
	return reason
}

// probe checks that the store is bootstrapped, has the pool, and accepts writes.
func (s *server) probe(ctx context.Context) (reason string, err error) {
	if err := s.unprepared.Load(); err != nil {
		return reasonFor(*err), *err
	}
	master, err := s.accounts.Master(ctx)
	if err != nil {
		return reasonFor(err), err
	}
	if master == "" {
		return notBootstrapped, nil
	}
	exists, err := s.store.DatabaseExists(ctx, dedicatedip.Database)
	if err != nil {
		return reasonFor(err), err
	}
	if !exists {
		return poolMissing, nil
	}
	if err := s.store.Writable(ctx, dedicatedip.StateDatabase); err != nil {
		return reasonFor(err), err
	}
	return "", nil
}

// reasonFor returns the reason that an error of the store stands for, "" if the store did not respond.
func reasonFor(err error) string {
	switch {
	case store.Refused(err):
		return storeUnauthorized
	case fault.Is(err, fault.DatastoreUnreachable), errors.Is(err, context.DeadlineExceeded):
		return ""
	case fault.Is(err, fault.DatastoreMissing):
		return notBootstrapped // of our own databases one is missing
	}
	return storeFull
}
