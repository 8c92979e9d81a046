package routing

import (
	"context"
	"sync"
	"time"

	"junctor/pkg/testutil"
)

var followCases = []testCase{{"follows", follows}}

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
	s.ok(outcome(s.Patch(s.Context(), clusterA, doc(s, `{"ips":{"outbound":{"c":["10.0.0.1"]}}}`), author, nil)))
	sees("10.0.0.1", 2)
	s.ok(outcome(s.Delete(s.Context(), clusterA, author, nil)))
	sees("10.0.0.1", 0)
	s.ok(s.s.Delete(s.Context(), Database, clusterB, s.stored(Database, clusterB).Rev()))
	sees("10.0.0.2", 0)
	other.have(clusterA, "in:d:10.0.0.9")
	other.finds("10.0.0.9", "", clusterA+" inbound d")
}
