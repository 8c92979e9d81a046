package dedicatedip

import (
	"context"
	"errors"
	"slices"
	"strings"

	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"

	"junctor/pkg/fault"
)

var faultCases = []testCase{
	{"bulk loses an entry", bulkLosesEntry},
	{"bulk release loses an entry", bulkReleaseLosesEntry},
	{"lost to the same account", lostToSameAccount},
	{"one loses", oneLoses},
	{"response lost", responsesLost},
	{"write not made", writeNotMade},
	{"undo fails", undoFails},
	{"undo overtaken", undoOvertaken},
	{"client gone", clientGone},
}

// with returns a pool whose calls to the store go through a hook.
func (s *subject) with(h storetest.Hook) *Pool {
	return s.pool(s.s.With(h), &testutil.Log{})
}

// conflictNames checks that err is a fault.Conflict that names an address.
func (s *subject) conflictNames(err error, id string) {
	s.Helper()
	testutil.RequireFault(s, err, fault.Conflict)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		data, _ := e.Data.(map[string]any)
		if data["cause"] != id || data["message"] != "conflicting documents" {
			s.Errorf("the conflict says %v", e.Data)
		}
	}
}

// bulkLosesEntry: another writer is in between reading and writing.
func bulkLosesEntry(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	before := s.stored(Database, "10.0.0.1")
	p := s.with(when("put", Database, 1, preceded(func() {
		s.ok(s.assign(s.Pool, accountB, "10.0.0.2"))
	})))
	ips, err := p.Assign(s.Context(), toAssign(accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3"))
	s.conflictNames(err, "10.0.0.2")
	s.holds("10.0.0.1", "10.0.0.2="+accountB, "10.0.0.3")
	doc := s.stored(Database, "10.0.0.1")
	before[fieldModified] = doc[fieldModified] // taking a change back is one, too
	if len(ips) > 0 || !projection.SameContent(doc, before) {
		s.Errorf("given back is %v, was %v; returned %v", doc, before, ips)
	}
}

func bulkReleaseLosesEntry(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3")
	p := s.with(when("put", Database, 1, preceded(func() {
		s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.2"})))
	})))
	s.conflictNames(s.release(p, accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3"), "10.0.0.2")
	s.holds("10.0.0.1="+accountA, "10.0.0.3="+accountA)
}

// lostToSameAccount: the winner's document is the very one that the loser wanted, and is not the loser's to undo.
func lostToSameAccount(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	p := s.with(when("put", Database, 1, preceded(func() {
		s.ok(s.assign(s.Pool, accountA, "10.0.0.2"))
	})))
	s.conflictNames(s.assign(p, accountA, "10.0.0.1", "10.0.0.2"), "10.0.0.2")
	s.holds("10.0.0.1", "10.0.0.2="+accountA)
}

// oneLoses: a request for one address reads again, and the state that the winner left decides.
func oneLoses(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	tests := []struct {
		address, holder, want string
	}{
		{"10.0.0.1", accountB, "ips%2E0 forbidden: ip assigned to another account: 10.0.0.1"},
		{"10.0.0.2", accountA, "ips%2E0 superfluous: ip already assigned: 10.0.0.2"},
	}
	for _, test := range tests {
		p := s.with(when("put", Database, 1, preceded(func() {
			s.ok(s.assign(s.Pool, test.holder, test.address))
		})))
		s.saying(s.assign(p, accountA, test.address), test.want)
	}
	p := s.with(when("put", Database, 1, preceded(func() { // taken and given back: free again
		s.ok(s.assign(s.Pool, accountB, "10.0.0.3"))
		s.ok(s.release(s.Pool, accountB, "10.0.0.3"))
	})))
	s.ok(s.assign(p, accountA, "10.0.0.3"))
	s.holds("10.0.0.1="+accountB, "10.0.0.2="+accountA, "10.0.0.3="+accountA)
}

// responsesLost: what the store did is undone if its response is lost.
func responsesLost(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	s.give(accountB, "10.0.0.3", "10.0.0.4")
	err := s.assign(s.with(when("put", Database, 1, responseLost)), accountA, "10.0.0.1")
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = s.with(when("put", Database, 1, responseLost)).Assign(s.Context(), toAssign(accountA, "10.0.0.1", "10.0.0.2"))
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	err = s.release(s.with(when("put", Database, 1, responseLost)), accountB, "10.0.0.3")
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = s.with(when("put", Database, 1, responseLost)).ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountB})
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	s.give(accountA, "10.0.0.5")
	_, err = s.with(when("put", Database, 1, responseLost)).Delete(s.Context(), DeleteRequest{Address: "10.0.0.5"})
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	if rev := s.stored(Database, "10.0.0.2").Rev(); kazoo.Generation(rev) != 3 {
		s.Errorf("revision %s: the store was to write, and to write again", rev)
	}
	s.becomes("10.0.0.1", "10.0.0.2", "10.0.0.3="+accountB, "10.0.0.4="+accountB)
}

func writeNotMade(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	rev := s.stored(Database, "10.0.0.1").Rev()
	err := s.assign(s.with(when("put", Database, 1, notMade)), accountA, "10.0.0.1")
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = s.with(when("put", Database, 1, notMade)).Assign(s.Context(), toAssign(accountA, "10.0.0.1", "10.0.0.2"))
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	err = s.assign(s.with(when("get many", Database, 1, notMade)), accountA, "10.0.0.1")
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = s.with(when("put", Database, 1, notMade)).Create(s.Context(), inZone("10.0.0.9"))
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = s.with(when("put", Database, 1, notMade)).Delete(s.Context(), DeleteRequest{Address: "10.0.0.1"})
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	if now := s.stored(Database, "10.0.0.1").Rev(); now != rev {
		s.Errorf("revision %s became %s", rev, now)
	}
	s.holds("10.0.0.1", "10.0.0.2")
}

// undoFails: a store that is gone for a moment is tried again; one that stays away leaves a line for the operator.
func undoFails(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	compete := func() {
		s.ok(s.assign(s.Pool, accountB, "10.0.0.2"))
		s.ok(s.release(s.Pool, accountB, "10.0.0.2"))
	}
	failsUntil := func(last int64) storetest.Hook {
		return onPuts(func(nth int64, do func() error) error {
			if nth == 1 {
				compete()
			} else if nth <= last {
				return errUnplugged
			}
			return do()
		})
	}
	s.conflictNames(s.assign(s.with(failsUntil(2)), accountA, "10.0.0.1", "10.0.0.2"), "10.0.0.2")
	s.holds("10.0.0.1", "10.0.0.2")

	var log testutil.Log
	p := s.pool(s.s.With(failsUntil(1000)), &log)
	s.conflictNames(s.assign(p, accountA, "10.0.0.1", "10.0.0.2"), "10.0.0.2")
	for _, word := range []string{`"level":"error"`, "10.0.0.1", accountA, "unplugged", "a request was refused"} {
		if !strings.Contains(log.String(), word) {
			s.Errorf("the log does not say %q: %s", word, log.String())
		}
	}
	s.becomes("10.0.0.1="+accountA, "10.0.0.2") // and billed for, as long as it is so
}

// undoOvertaken: who takes an address that a request is about to give back, or take back, has it.
func undoOvertaken(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2")
	deleted := func() {
		s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.2"})))
	}
	taken := func() {
		s.ok(s.assign(s.Pool, accountB, "10.0.0.1"))
	}
	p := s.with(when("put", Database, 1, func(do func() error) error {
		return preceded(deleted)(func() error { return followed(taken)(do) })
	}))
	s.conflictNames(s.release(p, accountA, "10.0.0.1", "10.0.0.2"), "10.0.0.2")
	s.becomes("10.0.0.1=" + accountB)
}

// clientGone: the client's context ends while the writes are under way.
func clientGone(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	for _, address := range [][]string{{"10.0.0.1", "10.0.0.2"}, {"10.0.0.3"}} {
		ctx, cancel := context.WithCancel(s.Context())
		p := s.with(func(c storetest.Call, do func() error) error {
			if c.Name == "put" {
				cancel()
			}
			return do()
		})
		s.ok(outcome(p.Assign(ctx, toAssign(accountA, address...))))
	}
	s.holds("10.0.0.1="+accountA, "10.0.0.2="+accountA, "10.0.0.3="+accountA)
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	reads := []string{"get", "get odd", "available", "assigned", "all", "zones", "hosts", "counts"}
	for name, call := range calls(ctx, s.Pool) {
		if err := call(); err == nil && !(s.FromMemory() && slices.Contains(reads, name)) {
			s.Errorf("%s for a client that is gone already", name)
		}
	}
	s.holds("10.0.0.1="+accountA, "10.0.0.2="+accountA, "10.0.0.3="+accountA)
}
