package main

import (
	"context"
	"errors"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/readiness"
	"junctor/pkg/store"
)

// The reasons of /readyz why a write would not succeed.
const (
	starting          = readiness.Starting
	notBootstrapped   = "not_bootstrapped"
	storeUnreachable  = readiness.Unreachable
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
		poolMissing:       projection.ErrPoolMissing.Error(),
	}
	if !store.IsCouchDB(s.dsn) {
		m[storeUnreachable] = "the file of the store is not in its place"
	}
	return m
}

// readiness returns why a write would not succeed, "" if it would. Until the first attempt to prepare the store is over,
// nothing is known of the store, and nothing is logged.
func (s *server) readiness(ctx context.Context) (reason string) {
	if s.unprepared.Load() == &errUnprepared {
		return starting
	}
	return s.ready.State(ctx)
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
	if err := s.store.Writable(ctx, projection.StateDatabase); err != nil {
		return reasonFor(err), err
	}
	return "", nil
}

// reasonFor returns the reason that an error of the store stands for, "" if the store did not respond.
func reasonFor(err error) string {
	switch {
	case store.Refused(err):
		return storeUnauthorized
	case fault.Is(err, fault.DatastoreUnreachable), fault.Is(err, fault.DatastorePartial),
		errors.Is(err, context.DeadlineExceeded):
		return ""
	case fault.Is(err, fault.DatastoreMissing):
		return notBootstrapped // one of our own databases is missing
	}
	return storeFull
}
