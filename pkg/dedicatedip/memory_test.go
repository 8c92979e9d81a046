package dedicatedip

import (
	"context"
	"io"
	"strconv"
	"sync"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

// memoryCases are about what reaches the memory late, twice or never.
var memoryCases = []testCase{
	{"read before it was deleted", readBeforeDeleted},
	{"written before it was deleted", writtenBeforeDeleted},
	{"no mark stays", noMarkStays},
	{"wrong marks", wrongMarks},
	{"list of what is old", listOfOld},
	{"stop before the copy", stopBeforeCopy},
}

// without waits until a pool has heard that there is no such address.
func (s *subject) without(p *Pool, id string) {
	s.Helper()
	testutil.Eventually(s, "without "+id, func() bool { return p.memory.Load().index.Revision(id) == "" })
}

// readBeforeDeleted: a document that arrives after the feed has told its end does not come back.
func readBeforeDeleted(s *subject) {
	s.free("10.0.0.1")
	other := s.pool(s.s, io.Discard)
	var p *Pool
	p = s.following(s.with(when("get many", Database, 1, followed(func() {
		_, err := other.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1"})
		s.ok(err)
		s.without(p, "10.0.0.1")
	}))))
	_, err := assignSingle(s.Context(), p, accountA, "10.0.0.1", func(string) bool { return true })
	s.saying(err, "ips%2E0 not_found: ip not found: 10.0.0.1")
	_, err = p.Read().Get(s.Context(), "10.0.0.1")
	testutil.RequireFault(s, err, fault.BadIdentifier)
}

// writtenBeforeDeleted: nor does one stay that was deleted, and told to be, before its writer has noted it.
func writtenBeforeDeleted(s *subject) {
	s.free("10.0.0.1")
	other := s.pool(s.s, io.Discard)
	var p *Pool
	p = s.following(s.poolWith(trouble{s.s, when("put", Database, 1, followed(func() {
		_, err := other.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1"})
		s.ok(err)
		s.without(p, "10.0.0.1")
	}))}, Options{Copies: soon}))
	_, err := assignSingle(s.Context(), p, accountA, "10.0.0.1", nil)
	s.ok(err)
	s.without(p, "10.0.0.1")
	testutil.Eventually(s, "without a copy", func() bool { return s.stored(s.accountDB(accountA), "10.0.0.1") == nil })
}

// noMarkStays: what the feed has told needs no mark any more, however often it is read and written.
func noMarkStays(s *subject) {
	p := s.following(s.pool(s.s, io.Discard))
	for n := range 20 {
		id := "10.0.0." + strconv.Itoa(n)
		s.free(id)
		_, err := assignSingle(s.Context(), p, accountA, id, func(string) bool { return true })
		s.ok(err)
		s.caughtUp(p)
		_, err = releaseSingle(s.Context(), p, accountA, id, func(string) bool { return false })
		testutil.RequireFault(s, err, fault.PreconditionFailed)
	}
	testutil.Eventually(s, "free of marks", func() bool { return p.memory.Load().mirror.Pending() == 0 })
}

// wrongMarks: what was noted and is not told in time is read from the store, as where on a CouchDB cluster the end of
// a winner leaves a loser with a lower revision.
func wrongMarks(s *subject) {
	s.free("10.0.0.1")
	p := s.following(s.pool(s.s, io.Discard))
	p.wrote(document.Document{"_id": "10.0.0.1", "_rev": "9-", "_deleted": true})
	p.wrote(document.Document{"_id": "10.0.0.2", "_rev": "9-0", "pvt_type": documentType, "pvt_zone": "ghost",
		"pvt_host": "h", "pvt_status": "available"})
	testutil.Eventually(s, "right", func() bool { _, err := p.Read().Get(s.Context(), "10.0.0.1"); return err == nil })
	s.without(p, "10.0.0.2")
	s.agree(0, p, s.pool(s.s, io.Discard))
}

// listOfOld: a list is judged by what the store says where memory is old.
func listOfOld(s *subject) {
	cut, cancel := context.WithCancel(s.Context())
	s.free("10.0.0.1", "10.0.0.2")
	p, other := s.following(s.pool(deaf{s.s, cut}, io.Discard)), s.pool(s.s, io.Discard)
	_, err := p.Assign(s.Context(), toAssign(accountA, "10.0.0.1", "10.0.0.2"))
	s.ok(err)
	_, err = p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})
	s.ok(err)
	s.caughtUp(p)
	cancel()
	_, err = other.Assign(s.Context(), toAssign(accountB, "10.0.0.2"))
	s.ok(err)
	_, err = p.Assign(s.Context(), toAssign(accountA, "10.0.0.1", "10.0.0.2"))
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
		_, err := releaseSingle(s.Context(), other, accountA, "10.0.0.1", nil)
		s.ok(err)
		stop()
		following.Wait()
	})))
	following.Go(func() { p.Follow(ctx, time.Hour) })
	testutil.Eventually(s, "loaded", p.FromMemory)
	_, err := assignSingle(s.Context(), p, accountA, "10.0.0.1", nil)
	s.ok(err)
	s.holds("10.0.0.1")
}
