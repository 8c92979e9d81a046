package dedicatedip

import (
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

var assignCases = []testCase{
	{"assign one", assignOne},
	{"assign one refused", assignOneRefused},
	{"assign", assign},
	{"assign refused", assignRefused},
	{"assign matches", assignMatches},
}

func assignOne(s *subject) {
	s.put(`{"_id":"10.0.0.1","pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"z1",
		"pvt_host":"h1","pvt_created":63800000000,"pvt_modified":63800000000,"name":"mine","pvt_odd":{"a":[1,null]}}`)
	ip, err := single(s.Assign(s.Context(), toAssign(accountA, "::ffff:10.0.0.1")))
	s.ok(err)
	const want = `{"_id":"10.0.0.1","pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"assigned","pvt_zone":"z1",
		"pvt_host":"h1","pvt_created":63800000000,"pvt_modified":63867219200,"name":"mine","pvt_odd":{"a":[1,null]},
		"pvt_assigned_to":"` + accountA + `"}`
	s.same(s.stored(Database, "10.0.0.1"), want)
	s.same(s.stored(s.accountDB(accountA), "10.0.0.1"), want)
	if rev := s.stored(Database, "10.0.0.1").Rev(); ip.Revision() != rev {
		s.Errorf("returned revision %s, stored is %s", ip.Revision(), rev)
	}
	shows(s.T, ip, `{"id":"10.0.0.1","ip":"10.0.0.1","zone":"z1","host":"h1","status":"assigned","type":"dedicated_ip",`+
		`"assigned_to":"`+accountA+`"}`)
	if rev := s.stored(s.accountDB(accountA), "10.0.0.1").Rev(); kazoo.Generation(rev) != 1 {
		s.Errorf("the copy was written more than once: %s", rev)
	}
	s.holds("10.0.0.1=" + accountA)
}

func assignOneRefused(s *subject) {
	s.give(accountA, "10.0.0.1")
	s.put(`{"_id":"10.0.0.2","pvt_type":"dedicated_ip","pvt_status":"assigned"}`, // as Crossbar's POST /v2/ips leaves it
		`{"_id":"10.0.0.3","pvt_type":"device","pvt_status":"available"}`)
	tests := []struct{ account, address, want string }{
		{accountA, "10.0.0.1", "ips%2E0 superfluous: ip already assigned: 10.0.0.1"},
		{accountA, "::ffff:10.0.0.1", "ips%2E0 superfluous: ip already assigned: ::ffff:10.0.0.1"},
		{accountB, "10.0.0.1", "ips%2E0 forbidden: ip assigned to another account: 10.0.0.1"},
		{accountB, "10.0.0.2", "ips%2E0 forbidden: ip assigned to another account: 10.0.0.2"},
		{accountB, "10.0.0.3", "ips%2E0 not_found: ip not found: 10.0.0.3"},
		{accountB, "10.9.9.9", "ips%2E0 not_found: ip not found: 10.9.9.9"},
		{accountB, "hello", "ips%2E0 not_found: ip not found: hello"},
		{accountB, "[::1]", "ips%2E0 not_found: ip not found: [::1]"},
		{accountB, "", "ips%2E0 not_found: ip not found: "},
	}
	for _, test := range tests {
		ips, err := s.Assign(s.Context(), toAssign(test.account, test.address))
		s.saying(err, test.want)
		if ips != nil {
			s.Errorf("%s: returned %s", test.address, idsText(ips))
		}
	}
	s.holds("10.0.0.1=" + accountA)
}

// assign returns the addresses in the order asked for, each address once, under the ids that are stored.
func assign(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "::ffff:10.0.0.3", "2001:DB8::A")
	ips, err := s.Assign(s.Context(), toAssign(accountA, "2001:db8::a", "10.0.0.2", "::ffff:10.0.0.2", "10.0.0.3",
		"10.0.0.2", "2001:DB8:0::A"))
	s.ok(err)
	if got := idsText(ips); got != "2001:DB8::A 10.0.0.2 ::ffff:10.0.0.3" {
		s.Errorf("assigned %s", got)
	}
	for _, ip := range ips {
		if stored := s.stored(Database, ip.ID()); stored.Rev() != ip.Revision() {
			s.Errorf("returned %v, stored is %v", ip.Private(), stored)
		}
	}
	s.holds("10.0.0.1", "2001:DB8::A="+accountA, "10.0.0.2="+accountA, "::ffff:10.0.0.3="+accountA)
}

// assignRefused: one bad entry is enough, and all of them are reported.
func assignRefused(s *subject) {
	s.give(accountA, "10.0.0.1")
	s.give(accountB, "10.0.0.7")
	s.free("10.0.0.5")
	_, err := s.Assign(s.Context(), toAssign(accountA, "10.0.0.7", "10.0.0.5", "::ffff:10.0.0.1", "10.9.9.9", "10.0.0.7",
		"10.0.0.5"))
	s.saying(err,
		"ips%2E0 forbidden: ip assigned to another account: 10.0.0.7",
		"ips%2E2 superfluous: ip already assigned: ::ffff:10.0.0.1",
		"ips%2E3 not_found: ip not found: 10.9.9.9",
		"ips%2E4 forbidden: ip assigned to another account: 10.0.0.7")
	s.holds("10.0.0.1="+accountA, "10.0.0.7="+accountB, "10.0.0.5")
}

func assignMatches(s *subject) {
	s.free("10.0.0.1")
	assign := func(match store.Match) (IP, error) {
		return single(s.Assign(s.Context(), AssignRequest{Account: accountA, Addresses: []string{"10.0.0.1"}, IfMatch: match}))
	}
	release := func(match store.Match) error {
		return outcome(s.Release(s.Context(), ReleaseRequest{Account: accountA, Addresses: []string{"10.0.0.1"}, IfMatch: match}))
	}
	never := func(string) bool { return false }
	is := func(rev string) store.Match { return func(revision string) bool { return revision == rev } }
	testutil.RequireFault(s, outcome(assign(never)), fault.PreconditionFailed)
	s.holds("10.0.0.1")
	rev := s.stored(Database, "10.0.0.1").Rev()
	ip, err := assign(is(rev))
	s.ok(err)
	testutil.RequireFault(s, release(is(rev)), fault.PreconditionFailed)
	s.holds("10.0.0.1=" + accountA)
	s.ok(release(is(ip.Revision())))
	s.holds("10.0.0.1")
	// What it says of the address goes first.
	s.saying(release(never), "ips%2E0 superfluous: ip not assigned: 10.0.0.1")
}
