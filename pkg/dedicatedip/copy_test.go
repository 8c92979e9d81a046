package dedicatedip

import (
	"strings"

	"junctor/pkg/kazoo"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

var copyCases = []testCase{
	{"copy overwrites", copyOverwrites},
	{"copy is there", copyIsThere},
	{"copy fails", copyFails},
	{"copy fails for a moment", copyFailsForAMoment},
	{"copy without a database", copyWithoutDatabase},
	{"copies cross", copiesCross},
}

// copyOverwrites: whatever stood in the copy's place.
func copyOverwrites(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	s.putIn(s.accountDB(accountA), `{"_id":"10.0.0.1","pvt_type":"dedicated_ip","pvt_host":"stale","old":1}`,
		`{"_id":"10.0.0.2","other":true}`, `{"_id":"10.0.0.9","pvt_type":"device"}`)
	s.ok(s.assign(s.Pool, accountA, "10.0.0.1"))
	s.same(s.stored(s.accountDB(accountA), "10.0.0.1"), `{"_id":"10.0.0.1","pvt_vsn":"1","pvt_type":"dedicated_ip",
		"pvt_status":"assigned","pvt_zone":"z1","pvt_host":"h1","pvt_created":63800000000,"pvt_modified":63867219200,
		"pvt_assigned_to":"`+accountA+`"}`)
	s.ok(s.assign(s.Pool, accountA, "10.0.0.2", "10.0.0.3"))
	s.holds("10.0.0.1="+accountA, "10.0.0.2="+accountA, "10.0.0.3="+accountA)
	s.same(s.stored(s.accountDB(accountA), "10.0.0.9"), `{"_id":"10.0.0.9","pvt_type":"device"}`)
	s.ok(outcome(s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	s.holds("10.0.0.1", "10.0.0.2", "10.0.0.3")
}

// copyIsThere: a copy that is right already is not written, since every write is news for all of Kazoo.
func copyIsThere(s *subject) {
	s.free("10.0.0.1")
	s.putIn(s.accountDB(accountA), `{"_id":"10.0.0.1","pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"assigned",
		"pvt_zone":"z1","pvt_host":"h1","pvt_created":63800000000,"pvt_modified":63867219200,
		"pvt_assigned_to":"`+accountA+`"}`)
	s.ok(s.assign(s.Pool, accountA, "10.0.0.1"))
	if rev := s.stored(s.accountDB(accountA), "10.0.0.1").Rev(); kazoo.Generation(rev) != 1 {
		s.Errorf("written again: %s", rev)
	}
	s.holds("10.0.0.1=" + accountA)
}

// copyFails: the pool has committed, so the request has succeeded.
func copyFails(s *subject) {
	if s.FromMemory() {
		s.Skip("a pool that follows the store repairs what another has failed at")
	}
	s.free("10.0.0.1", "10.0.0.2")
	db := s.accountDB(accountA)
	for _, call := range []string{"get many", "put"} {
		var log testutil.Log
		p := s.impatient(func(c storetest.Call, do func() error) error {
			if c.Name == call && c.DB == db {
				return errUnplugged
			}
			return do()
		}, &log)
		s.ok(s.assign(p, accountA, "10.0.0.1"))
		s.ok(s.release(p, accountA, "10.0.0.1"))
		s.ok(s.assign(p, accountA, "10.0.0.1", "10.0.0.2"))
		s.copies(accountA)
		for _, word := range []string{`"level":"error"`, "10.0.0.1", accountA, "unplugged", "billing counts the copies"} {
			testutil.Eventually(s, word+" is in the log", func() bool { return strings.Contains(log.String(), word) }, &log)
		}
		s.ok(outcome(s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	}
	s.holds("10.0.0.1", "10.0.0.2")
}

func copyFailsForAMoment(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	db := s.accountDB(accountA)
	s.ok(s.assign(s.with(when("put", db, 1, notMade)), accountA, "10.0.0.1"))
	s.ok(s.assign(s.with(when("put", db, 1, responseLost)), accountA, "10.0.0.2"))
	s.holds("10.0.0.1="+accountA, "10.0.0.2="+accountA)
	s.ok(s.release(s.with(when("get many", db, 1, notMade)), accountA, "10.0.0.1"))
	s.ok(s.release(s.with(when("put", db, 1, responseLost)), accountA, "10.0.0.2"))
	s.holds("10.0.0.1", "10.0.0.2")
}

// copyWithoutDatabase: an account that is gone has no copies to remove, which is nothing to complain of.
func copyWithoutDatabase(s *subject) {
	const gone = "ffffffffffffffffffffffffffffffff"
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	var log testutil.Log
	p := s.pool(s.s, &log)
	s.ok(s.assign(p, gone, "10.0.0.1", "10.0.0.2", "10.0.0.3"))
	if !strings.Contains(log.String(), "an account that no longer exists") {
		s.Errorf("no copies, and no log line: %s", log.String())
	}
	log.Reset()
	s.ok(s.release(p, gone, "10.0.0.1"))
	s.ok(outcome(p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: gone})))
	if log.String() != "" {
		s.Errorf("logged %s", log.String())
	}
	s.holds("10.0.0.1", "10.0.0.2", "10.0.0.3")
}

// copiesCross: another request commits after this one, and is done with its copies before.
func copiesCross(s *subject) {
	s.free("10.0.0.1")
	db := s.accountDB(accountA)
	for _, call := range []string{"get many", "put"} {
		p := s.with(when(call, db, 1, preceded(func() {
			s.ok(s.release(s.Pool, accountA, "10.0.0.1"))
		})))
		s.ok(s.assign(p, accountA, "10.0.0.1"))
		s.holds("10.0.0.1")

		s.ok(s.assign(s.Pool, accountA, "10.0.0.1"))
		p = s.with(when(call, db, 1, preceded(func() {
			s.ok(s.assign(s.Pool, accountA, "10.0.0.1"))
		})))
		s.ok(s.release(p, accountA, "10.0.0.1"))
		s.holds("10.0.0.1=" + accountA)
		s.ok(outcome(s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	}
}
