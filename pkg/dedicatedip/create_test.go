package dedicatedip

import (
	"encoding/json"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

var createCases = []testCase{
	{"create", create},
	{"create refuses", createRefuses},
	{"create canonical", createCanonical},
	{"create twins", createTwins},
	{"delete", deleteFree},
	{"delete assigned", deleteAssigned},
	{"delete matches", deleteMatches},
}

func inZone(address string) CreateRequest {
	return CreateRequest{Address: address, Zone: "z1", Host: "h1"}
}

func create(s *subject) {
	ip, err := s.Create(s.Context(), inZone("10.0.0.1"))
	s.ok(err)
	s.same(s.stored(Database, "10.0.0.1"), `{"_id":"10.0.0.1","pvt_vsn":"1","pvt_type":"dedicated_ip",
		"pvt_status":"available","pvt_zone":"z1","pvt_host":"h1","pvt_created":63867219200,"pvt_modified":63867219200}`)
	if rev := s.stored(Database, "10.0.0.1").Rev(); ip.Revision() != rev || ip.Private()["_rev"] != rev {
		s.Errorf("stored as %s, returned %v", rev, ip.Private())
	}
	shows(s.T, ip, `{"id":"10.0.0.1","ip":"10.0.0.1","zone":"z1","host":"h1","status":"available","type":"dedicated_ip"}`)
	ip.Private()["pvt_zone"] = "changed"
	if ip.Private()["pvt_zone"] != "z1" {
		s.Error("the private fields are not a copy")
	}
	s.holds("10.0.0.1")
}

func shows(t testing.TB, ip IP, want string) {
	t.Helper()
	if got, err := json.Marshal(ip.Address()); err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func createRefuses(s *subject) {
	for _, text := range []string{"", "hello", "01.2.3.4", "[::1]", "fe80::1%eth0", "10.0.0.0/24"} {
		s.saying(outcome(s.Create(s.Context(), inZone(text))), "ip not_one_schema_valid: failed to validate: "+text)
	}
	_, err := s.Create(s.Context(), CreateRequest{Address: "10.0.0.1", Zone: "z1"})
	s.saying(err, "host required: Field is required but missing: host")
	_, err = s.Create(s.Context(), CreateRequest{Address: "10.0.0.1", Host: "h1"})
	s.saying(err, "zone required: Field is required but missing: zone")
}

func createCanonical(s *subject) {
	for text, id := range map[string]string{
		"::ffff:10.0.0.9":         "10.0.0.9",
		"2001:DB8:0:0::1":         "2001:db8::1",
		"2001:db8:0:1:1:1:1:1":    "2001:db8:0:1:1:1:1:1",
		"0:0:0:0:0:0:0:0":         "::",
		"64:ff9b::1.2.3.4":        "64:ff9b::102:304",
		"2001:0db8:0:0:1:0:0:001": "2001:db8::1:0:0:1",
	} {
		ip, err := s.Create(s.Context(), inZone(text))
		s.ok(err)
		if ip.ID() != id || s.stored(Database, id) == nil {
			s.Errorf("%s is stored as %s, want %s", text, ip.ID(), id)
		}
	}
}

// createTwins: an equal address is there already, in a spelling of Kazoo's.
func createTwins(s *subject) {
	s.free("10.0.0.1", "::ffff:10.0.0.2", "2001:0DB8::A")
	s.put(`{"_id":"10.0.0.3","pvt_type":"something"}`)
	for _, text := range []string{"10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "::ffff:10.0.0.2", "2001:db8::a",
		"2001:0DB8::A", "10.0.0.3"} {
		testutil.RequireFault(s, outcome(s.Create(s.Context(), inZone(text))), fault.Conflict)
	}
	if s.stored(Database, "10.0.0.2") != nil || s.stored(Database, "2001:db8::a") != nil {
		s.Error("a twin was stored")
	}
	s.holds("10.0.0.1", "::ffff:10.0.0.2", "2001:0DB8::A")
}

func deleteFree(s *subject) {
	s.free("10.0.0.1", "2001:0DB8::A")
	ip, err := s.Delete(s.Context(), DeleteRequest{Address: "2001:db8::a"})
	s.ok(err)
	shows(s.T, ip, `{"id":"2001:0DB8::A","ip":"2001:0DB8::A","zone":"z1","host":"h1","status":"available",`+
		`"type":"dedicated_ip"}`)
	for _, text := range []string{"2001:db8::a", "2001:0DB8::A", "10.0.0.2", "hello", "_design/dedicated_ips"} {
		testutil.RequireFault(s, outcome(s.Delete(s.Context(), DeleteRequest{Address: text})), fault.BadIdentifier)
	}
	s.holds("10.0.0.1")
	s.ok(outcome(s.Create(s.Context(), inZone("2001:db8::a")))) // it can come back
	s.holds("10.0.0.1", "2001:db8::a")
}

func deleteAssigned(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2")
	ip, err := s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1"})
	s.ok(err)
	if ip.AssignedTo() != accountA {
		s.Errorf("deleted %v", ip.Private())
	}
	s.holds("10.0.0.2=" + accountA)
	s.put(`{"_id":"10.0.0.3","pvt_type":"dedicated_ip","pvt_status":"assigned",
		"pvt_assigned_to":"00000000000000000000000000000000"}`) // an account without a database
	s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.3"})))
}

func deleteMatches(s *subject) {
	s.free("10.0.0.1")
	_, err := s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1", IfMatch: func(string) bool { return false }})
	testutil.RequireFault(s, err, fault.PreconditionFailed)
	s.holds("10.0.0.1")
	rev := s.stored(Database, "10.0.0.1").Rev()
	_, err = s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1", IfMatch: func(revision string) bool { return revision == rev }})
	s.ok(err)
}
