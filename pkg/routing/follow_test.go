package routing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

var followCases = []testCase{
	{"follows", follows},
	{"writes while loading", writesWhileLoading},
	{"reconnects", reconnects},
	{"a failed load", loadFails},
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
	testutil.Eventually(s, "loaded", func() bool {
		_, err := r.Lookup("10.0.0.1", "")
		return err == nil
	})
	return &subject{TB: s.TB, Registry: r, s: s.s, clock: s.clock}
}

// follows: what another process writes is seen soon. How soon is logged.
func follows(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	other := s.following(s.registry(s.s, Options{}))
	other.finds("10.0.0.1", "", clusterA+" inbound a")
	sees := func(ip string, count int) {
		s.Helper()
		wrote := time.Now()
		testutil.Eventually(s, ip, func() bool {
			found, err := other.Lookup(ip, "")
			s.ok(err)
			return len(found) == count
		})
		s.Logf("%s was seen after %s", ip, time.Since(wrote))
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

// interrupted is a store that calls during once, before the first change of a feed is handed over.
type interrupted struct {
	Store
	during func()
}

func (i *interrupted) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	var once sync.Once
	return i.Store.Changes(ctx, db, since, func(c store.Change) error {
		once.Do(i.during)
		return each(c)
	}, current)
}

// writesWhileLoading: what is written while the store is read is in the look-ups afterwards.
func writesWhileLoading(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	s.have(clusterC, "in:a:10.0.0.4")
	on := &interrupted{Store: s.s}
	r := s.registry(on, Options{})
	on.during = func() {
		_, err := r.Patch(s.Context(), clusterA, doc(s, `{"ips":{"inbound":{"a":["10.0.0.2"]}}}`), author, nil)
		s.ok(err)
		_, err = r.Create(s.Context(), clusterB, body(s, "in:b:10.0.0.3"), author)
		s.ok(err)
		_, err = r.Delete(s.Context(), clusterC, author, nil)
		s.ok(err)
	}
	s.ok(r.Load(s.Context()))
	other := &subject{TB: s.TB, Registry: r, s: s.s, clock: s.clock}
	other.finds("10.0.0.1", "")
	other.finds("10.0.0.2", "", clusterA+" inbound a")
	other.finds("10.0.0.3", "", clusterB+" inbound b")
	other.finds("10.0.0.4", "")
}

// broken is a store whose feeds end, or fail to begin, as many times as the counters say.
type broken struct {
	Store
	ends, fails, calls *atomic.Int64
}

func (b broken) Epoch(ctx context.Context, db string) (string, error) {
	if b.fails.Add(-1) >= 0 {
		return "", errUnplugged
	}
	return b.Store.Epoch(ctx, db)
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
	testutil.Eventually(s, "seen", func() bool {
		found, err := other.Lookup("10.0.0.1", "")
		s.ok(err)
		return len(found) == 1
	})
	testutil.Eventually(s, "connected", func() bool { return b.calls.Load() >= 4 })
	s.have(clusterB, "in:a:10.0.0.2")
	testutil.Eventually(s, "seen", func() bool {
		found, err := other.Lookup("10.0.0.2", "")
		s.ok(err)
		return len(found) == 1
	})
}

// loadFails: look-ups fail until the clusters have been read, and return what was read while the store is away.
func loadFails(s *subject) {
	s.have(clusterA, "in:a:10.0.0.1")
	b := broken{s.s, &atomic.Int64{}, &atomic.Int64{}, &atomic.Int64{}}
	b.fails.Store(1)
	r := s.registry(b, Options{})
	testutil.RequireFault(s, r.Load(s.Context()), fault.DatastoreUnreachable)
	_, err := r.Lookup("10.0.0.1", "")
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = r.Addresses(clusterA, Inbound, "")
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	s.ok(r.Load(s.Context()))
	b.fails.Store(1)
	testutil.RequireFault(s, r.Load(s.Context()), fault.DatastoreUnreachable)
	other := &subject{TB: s.TB, Registry: r, s: s.s, clock: s.clock}
	other.finds("10.0.0.1", "", clusterA+" inbound a")
}

// purgeCases are about what a change feed does not tell, which a CouchDB alone has.
func purgeCases(dsn string) []testCase {
	return []testCase{{"a purged cluster is in no look-up", func(s *subject) { purged(s, dsn) }}}
}

// purged is fault P5 for clusters: a purge is not in the feed.
func purged(s *subject, dsn string) {
	epoch, err := s.s.Epoch(s.Context(), Database)
	s.ok(err)
	if epoch == "" {
		s.Skip("this server has no purges")
	}
	s.have(clusterA, "in:a:10.0.0.1")
	s.have(clusterB, "in:a:10.0.0.2")
	s.ok(s.Load(s.Context()))
	rev := s.stored(Database, clusterA).Rev()
	s.request(dsn, Database, http.MethodPost, "/_purge", fmt.Sprintf(`{%q:[%q]}`, clusterA, rev))
	s.ok(s.Load(s.Context()))
	s.finds("10.0.0.1", "")
	s.finds("10.0.0.2", "", clusterB+" inbound a")
}

// counted is a store that counts the feeds that begin with the first change.
type counted struct {
	Store
	whole *atomic.Int64
}

func (c counted) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	if since == "" {
		c.whole.Add(1)
	}
	return c.Store.Changes(ctx, db, since, each, current)
}

// goesOn: a process that has loaded does not read everything again to follow, and misses nothing.
func goesOn(s *subject) {
	c := counted{s.s, &atomic.Int64{}}
	other := s.registry(c, Options{})
	s.ok(other.Load(s.Context()))
	s.have(clusterA, "in:a:10.0.0.1")
	followed := s.following(other)
	testutil.Eventually(s, "seen", func() bool {
		found, err := other.Lookup("10.0.0.1", "")
		s.ok(err)
		return len(found) == 1
	})
	followed.finds("10.0.0.1", "", clusterA+" inbound a")
	if n := c.whole.Load(); n != 1 {
		s.Errorf("everything was read %d times", n)
	}
}
