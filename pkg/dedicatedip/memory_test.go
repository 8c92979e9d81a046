package dedicatedip

import (
	"context"
	"io"
	"sync"
	"time"

	"junctor/pkg/testutil"
)

// memoryCases are about what reaches the memory late or never.
var memoryCases = []testCase{
	{"written before it was deleted", writtenBeforeDeleted},
	{"list of what is old", listOfOld},
	{"stop before the copy", stopBeforeCopy},
}

// without waits until a pool has heard that there is no such address.
func (s *subject) without(p *Pool, id string) {
	s.Helper()
	testutil.Eventually(s, "without "+id, func() bool { return p.memory.Load().index.Revision(id) == "" })
}

// writtenBeforeDeleted: an address that was deleted before its writer has noted the assignment leaves no copy.
func writtenBeforeDeleted(s *subject) {
	s.free("10.0.0.1")
	other := s.pool(s.s, io.Discard)
	var p *Pool
	p = s.following(s.poolWith(s.s.With(when("put", Database, 1, followed(func() {
		s.ok(outcome(other.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1"})))
		s.without(p, "10.0.0.1")
	}))), Options{Copies: soon}))
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.without(p, "10.0.0.1")
	testutil.Eventually(s, "without a copy", func() bool { return s.stored(s.accountDB(accountA), "10.0.0.1") == nil })
}

// listOfOld: a list is judged by what the store says where memory is old.
func listOfOld(s *subject) {
	cut, cancel := context.WithCancel(s.Context())
	s.free("10.0.0.1", "10.0.0.2")
	p, other := s.following(s.pool(deaf{s.s, cut}, io.Discard)), s.pool(s.s, io.Discard)
	s.ok(s.assign(p, accountA, "10.0.0.1", "10.0.0.2"))
	s.ok(outcome(p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	s.caughtUp(p)
	cancel()
	s.ok(s.assign(other, accountB, "10.0.0.2"))
	_, err := p.Assign(s.Context(), toAssign(accountA, "10.0.0.1", "10.0.0.2"))
	s.saying(err, "ips%2E1 forbidden: ip assigned to another account: 10.0.0.2")
	s.holds("10.0.0.1", "10.0.0.2="+accountB)
}

// stopBeforeCopy: a copy that is written after its pool has ended to follow is looked at all the same.
func stopBeforeCopy(s *subject) {
	s.free("10.0.0.1")
	ctx, stop := context.WithCancel(s.Context())
	var following sync.WaitGroup
	other := s.pool(s.s, io.Discard)
	p := s.with(when("put", s.accountDB(accountA), 1, preceded(func() {
		s.ok(s.release(other, accountA, "10.0.0.1"))
		stop()
		following.Wait()
	})))
	following.Go(func() { p.Follow(ctx, time.Hour) })
	testutil.Eventually(s, "loaded", p.FromMemory)
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.holds("10.0.0.1")
}
