package dedicatedip

var releaseCases = []testCase{
	{"release one", releaseOne},
	{"release", release},
	{"release refused", releaseRefused},
	{"release all", releaseAll},
}

func releaseOne(s *subject) {
	s.put(`{"_id":"10.0.0.1","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"z1","pvt_odd":[1.5]}`)
	s.ok(s.assign(s.Pool, accountA, "10.0.0.1"))
	s.clock.Add(60)
	ip, err := single(s.Release(s.Context(), toRelease(accountA, "::ffff:a00:1")))
	s.ok(err)
	s.same(s.stored(Database, "10.0.0.1"), `{"_id":"10.0.0.1","pvt_type":"dedicated_ip","pvt_status":"available",
		"pvt_zone":"z1","pvt_odd":[1.5],"pvt_modified":63867219260}`)
	shows(s.T, ip, `{"id":"10.0.0.1","ip":"10.0.0.1","zone":"z1","status":"available","type":"dedicated_ip"}`)
	if rev := s.stored(Database, "10.0.0.1").Rev(); ip.Revision() != rev {
		s.Errorf("returned revision %s, stored is %s", ip.Revision(), rev)
	}
	s.holds("10.0.0.1")
	s.ok(s.assign(s.Pool, accountB, "10.0.0.1"))
	s.holds("10.0.0.1=" + accountB)
}

func release(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2", "2001:DB8::A")
	ips, err := s.Release(s.Context(), toRelease(accountA, "2001:db8::a", "10.0.0.1", "10.0.0.1", "2001:DB8::A"))
	s.ok(err)
	if got := idsText(ips); got != "2001:DB8::A 10.0.0.1" {
		s.Errorf("released %s", got)
	}
	s.holds("10.0.0.1", "10.0.0.2="+accountA, "2001:DB8::A")
}

// releaseRefused: Crossbar loses its way behind the address of another account, and says that the rest is assigned.
func releaseRefused(s *subject) {
	s.give(accountA, "10.0.0.6")
	s.give(accountB, "10.0.0.7")
	s.free("10.0.0.3")
	s.saying(s.release(s.Pool, accountA, "10.0.0.7", "10.0.0.6", "10.0.0.3", "10.9.9.9", "hello"),
		"ips%2E0 forbidden: ip assigned to another account: 10.0.0.7",
		"ips%2E2 superfluous: ip not assigned: 10.0.0.3",
		"ips%2E3 not_found: ip not found: 10.9.9.9",
		"ips%2E4 not_found: ip not found: hello")
	s.holds("10.0.0.6="+accountA, "10.0.0.7="+accountB, "10.0.0.3")
}

func releaseAll(s *subject) {
	s.give(accountA, "10.0.0.10", "10.0.0.9", "2001:db8::1", "::ffff:10.0.0.1")
	s.give(accountB, "10.0.0.7")
	s.put(dedicated("hello", "z1", accountA)) // not an address
	ips, err := s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})
	s.ok(err)
	if got := idsText(ips); got != "::ffff:10.0.0.1 10.0.0.9 10.0.0.10 2001:db8::1" {
		s.Errorf("released %s", got)
	}
	s.holds("10.0.0.10", "10.0.0.9", "2001:db8::1", "::ffff:10.0.0.1", "10.0.0.7="+accountB)
	if ips, err := s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA}); err != nil || len(ips) > 0 {
		s.Errorf("once more: %v, %v", ips, err)
	}
}
