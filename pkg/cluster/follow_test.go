package cluster

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

var followCases = []testCase{
	{"follows", follows},
	{"reload", reloads},
	{"writes while loading", writesWhileLoading},
	{"reconnects", reconnects},
	{"goes on after Load", goesOn},
}

// following runs a registry's Follow until the test ends.
func (s *subject) following(r *Registry) *subject {
	ctx, cancel := context.WithCancel(s.Context())
	var done sync.WaitGroup
	done.Go(func() { r.Follow(ctx) })
	s.Cleanup(func() {
		cancel()
		done.Wait()
	})
	s.until("loaded", func() bool {
		_, err := r.Lookup("10.0.0.1", "")
		return err == nil
	})
	return &subject{TB: s.TB, Registry: r, s: s.s, clock: s.clock}
}

// follows: what another process writes is seen within a second.
func follows(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	other := s.following(s.registry(s.s, Options{}))
	other.finds("10.0.0.1", "", clusterA+" inbound a")
	sees := func(ip string, count int) {
		s.Helper()
		wrote := time.Now()
		s.until(ip, func() bool {
			found, err := other.Lookup(ip, "")
			s.ok(err)
			return len(found) == count
		})
		if late := time.Since(wrote); late > time.Second {
			s.Errorf("%s was seen after %s", ip, late)
		}
	}
	s.have(clusterB, "in:b:10.0.0.2")
	sees("10.0.0.2", 1)
	_, err := s.Patch(s.Context(), clusterA, doc(s, `{"ips":{"outbound":{"c":["10.0.0.1"]}}}`), author, nil)
	s.ok(err)
	sees("10.0.0.1", 2)
	_, err = s.Delete(s.Context(), clusterA, author, nil)
	s.ok(err)
	sees("10.0.0.1", 0)
	s.ok(s.s.Delete(s.Context(), Database, clusterB, s.stored(Database, clusterB).Rev()))
	sees("10.0.0.2", 0)
	other.have(clusterA, "in:d:10.0.0.9")
	other.finds("10.0.0.9", "", clusterA+" inbound d")
}

// reloads: a reading replaces everything, also what was of a later generation.
func reloads(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	s.have(clusterB, "in:a:10.0.0.2")
	s.index.applyChange(document.Document{"_id": "gone", "_rev": "7-x", "pvt_type": documentType,
		"ips": ipsOf(s, "in:a:10.0.0.3")})
	s.index.applyChange(document.Document{"_id": clusterB, "_rev": "99-x", "pvt_type": documentType,
		"ips": ipsOf(s, "in:a:10.0.0.4")})
	s.ok(s.Load(s.Context()))
	s.finds("10.0.0.1", "", clusterA+" inbound a")
	s.finds("10.0.0.2", "", clusterB+" inbound a")
	s.finds("10.0.0.3", "")
	s.finds("10.0.0.4", "")
}

// writesWhileLoading: what is written while the store is read is in the look-ups afterwards.
func writesWhileLoading(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	var r *Registry
	loading := true
	r = s.registry(steps{s.s, func(call, db string, do func() error) error {
		err := do()
		if call == "view" && loading {
			loading = false
			_, err := r.Patch(s.Context(), clusterA, doc(s, `{"ips":{"inbound":{"a":["10.0.0.2"]}}}`), author, nil)
			s.ok(err)
			_, err = r.Create(s.Context(), clusterB, body(s, "in:b:10.0.0.3"), author)
			s.ok(err)
		}
		return err
	}}, Options{})
	s.ok(r.Load(s.Context()))
	other := &subject{TB: s.TB, Registry: r, s: s.s, clock: s.clock}
	other.finds("10.0.0.1", "")
	other.finds("10.0.0.2", "", clusterA+" inbound a")
	other.finds("10.0.0.3", "", clusterB+" inbound b")
}

// broken is a store whose feeds end, or cannot be had, as often as it is told to.
type broken struct {
	Store
	ends, fails, calls *atomic.Int64
}

func (b broken) Sequence(ctx context.Context, db string) (string, error) {
	if b.fails.Add(-1) >= 0 {
		return "", errUnplugged
	}
	return b.Store.Sequence(ctx, db)
}

func (b broken) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	b.calls.Add(1)
	if n := b.ends.Add(-1); n >= 0 {
		return []error{errUnplugged, errors.New("closed")}[n%2]
	}
	return b.Store.Changes(ctx, db, since, each, current)
}

// reconnects: a feed that breaks off is taken up again, and nothing is missed meanwhile.
func reconnects(s *subject) {
	b := broken{s.s, &atomic.Int64{}, &atomic.Int64{}, &atomic.Int64{}}
	b.fails.Store(1)
	b.ends.Store(3)
	other := s.following(s.registry(b, Options{}))
	s.have(clusterA, "in:a:10.0.0.1")
	s.until("seen", func() bool {
		found, err := other.Lookup("10.0.0.1", "")
		s.ok(err)
		return len(found) == 1
	})
	s.until("connected", func() bool { return b.calls.Load() >= 4 })
	s.have(clusterB, "in:a:10.0.0.2")
	s.until("seen", func() bool {
		found, err := other.Lookup("10.0.0.2", "")
		s.ok(err)
		return len(found) == 1
	})
	b.fails.Store(1)
	s.is(other.Load(s.Context()), fault.DatastoreUnreachable)
	other.finds("10.0.0.2", "", clusterB+" inbound a")
}

// counted is a store that counts the views that are read.
type counted struct {
	Store
	views *atomic.Int64
}

func (c counted) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	c.views.Add(1)
	return c.Store.View(ctx, db, design, view, q, each)
}

// goesOn: a process that has loaded does not read everything again to follow, and misses nothing.
func goesOn(s *subject) {
	c := counted{s.s, &atomic.Int64{}}
	other := s.registry(c, Options{})
	s.ok(other.Load(s.Context()))
	s.have(clusterA, "in:a:10.0.0.1")
	followed := s.following(other)
	s.until("seen", func() bool {
		found, err := other.Lookup("10.0.0.1", "")
		s.ok(err)
		return len(found) == 1
	})
	followed.finds("10.0.0.1", "", clusterA+" inbound a")
	if n := c.views.Load(); n != 1 {
		s.Errorf("%d views were read", n)
	}
}
