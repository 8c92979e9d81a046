package dedicatedip

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipbatch"
	"junctor/pkg/testutil"
)

var editCases = []testCase{
	{"edit", edit},
	{"edit refuses", editRefuses},
	{"edit nothing", editNothing},
	{"move", move},
	{"move asks", moveAsks},
	{"move overtaken", moveOvertaken},
	{"move fails", moveFails},
	{"moves at once", movesAtOnce},
}

func toMove(address, accountID string) EditRequest {
	return EditRequest{Address: address, AssignedTo: &accountID}
}

func edit(s *subject) {
	s.free("10.0.0.1")
	s.give(accountA, "2001:0DB8::A")
	zone, host, notes, none := "z2", "h2", "rack 7", ""
	s.clock.Add(60)
	ip, err := s.Edit(s.Context(), EditRequest{Address: "2001:db8::a", Zone: &zone, Host: &host, Notes: &notes})
	s.ok(err)
	shows(s.T, ip, `{"id":"2001:0DB8::A","ip":"2001:0DB8::A","zone":"z2","host":"h2","status":"assigned",`+
		`"type":"dedicated_ip","assigned_to":"`+accountA+`"}`)
	doc := s.stored(Database, "2001:0DB8::A")
	if doc["notes"] != "rack 7" || ip.Revision() != doc.Rev() {
		s.Errorf("stored is %v, returned %v", doc, ip.doc)
	}
	if e := history.Changes(doc)[0]; e.Action != history.Edited || e.From != accountA || e.To != accountA || e.Zone != "z2" {
		s.Errorf("recorded is %+v", e)
	}
	s.holds("10.0.0.1", "2001:0DB8::A="+accountA) // and the copy has the zone
	s.ok(outcome(s.Edit(s.Context(), EditRequest{Address: "2001:db8::a", Notes: &none})))
	if _, there := s.stored(Database, "2001:0DB8::A")["notes"]; there {
		s.Error("empty notes are stored")
	}
	s.ok(outcome(s.Edit(s.Context(), EditRequest{Address: "10.0.0.1", Zone: &zone})))
	s.pages(s.Pool, Filter{Zone: "z2"}, []string{"10.0.0.1"})
	zones, err := s.Read().Zones(s.Context())
	s.ok(err)
	if len(zones) != 1 || zones[0] != "z2" {
		s.Errorf("zones %v", zones)
	}
	s.holds("10.0.0.1", "2001:0DB8::A="+accountA)
}

func editRefuses(s *subject) {
	s.free("10.0.0.1")
	s.give(accountA, "10.0.0.2")
	none, other, zone := "", accountB, "z2"
	_, err := s.Edit(s.Context(), EditRequest{Address: "10.0.0.2", Zone: &none, Host: &none, AssignedTo: &none})
	s.saying(err, "assigned_to required: Field is required but missing: assigned_to",
		"host required: Field is required but missing: host", "zone required: Field is required but missing: zone")
	longName, longNotes := strings.Repeat("é", ipbatch.MaxName+1), strings.Repeat("é", ipbatch.MaxNotes+1)
	_, err = s.Edit(s.Context(), EditRequest{Address: "10.0.0.2", Zone: &longName, Host: &longName, Notes: &longNotes})
	s.saying(err, "host maxLength: String must not be more than 1024 characters: <nil>",
		"notes maxLength: String must not be more than 4096 characters: <nil>",
		"zone maxLength: String must not be more than 1024 characters: <nil>")
	_, err = s.Create(s.Context(), CreateRequest{Address: "10.0.0.9", Zone: longName, Host: "h"})
	s.saying(err, "zone maxLength: String must not be more than 1024 characters: <nil>")
	_, err = s.Edit(s.Context(), EditRequest{Address: "10.0.0.1", Zone: &zone, AssignedTo: &other})
	s.saying(err, "assigned_to superfluous: ip not assigned: "+accountB)
	for _, address := range []string{"10.0.0.3", "hello"} {
		_, err = s.Edit(s.Context(), EditRequest{Address: address, Zone: &zone})
		testutil.RequireFault(s, err, fault.BadIdentifier)
	}
	_, err = s.Edit(s.Context(), EditRequest{Address: "10.0.0.1", Zone: &zone, IfMatch: func(string) bool { return false }})
	testutil.RequireFault(s, err, fault.PreconditionFailed)
	s.holds("10.0.0.1", "10.0.0.2="+accountA)
	s.pages(s.Pool, Filter{Zone: "z1"}, []string{"10.0.0.1"})
}

func editNothing(s *subject) {
	s.give(accountA, "10.0.0.1")
	before := s.stored(Database, "10.0.0.1").Rev()
	zone, host, none, same := "z1", "h1", "", accountA
	asked := func(context.Context, int) error { return errors.New("asked") }
	ip, err := s.Edit(s.Context(), EditRequest{
		Address: "10.0.0.1", Zone: &zone, Host: &host, Notes: &none, AssignedTo: &same, Approve: asked,
	})
	s.ok(err)
	if after := s.stored(Database, "10.0.0.1").Rev(); after != before || ip.Revision() != before {
		s.Errorf("revision %s became %s, returned %s", before, after, ip.Revision())
	}
}

// move: the address changes hands in one write, and both accounts' copies follow.
func move(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2")
	before := s.stored(Database, "10.0.0.1")
	zone := "z2"
	s.clock.Add(60)
	r := toMove("10.0.0.1", accountB)
	r.Zone = &zone
	ip, err := s.Edit(s.Context(), r)
	s.ok(err)
	doc := s.stored(Database, "10.0.0.1")
	if ip.AssignedTo() != accountB || doc.Rev() != ip.Revision() || doc.Rev()[0] != before.Rev()[0]+1 || doc["pvt_zone"] != "z2" {
		s.Errorf("before %v\nafter %v", before, doc)
	}
	if e := history.Changes(doc)[0]; e.Action != history.Moved || e.From != accountA || e.To != accountB {
		s.Errorf("recorded is %+v", e)
	}
	s.holds("10.0.0.1="+accountB, "10.0.0.2="+accountA)
	s.saying(s.release(s.Pool, accountA, "10.0.0.1"), "ips%2E0 forbidden: ip assigned to another account: 10.0.0.1")
	// Crossbar's POST on /v2/ips leaves an address assigned to no account.
	s.put(`{"_id":"10.0.0.3","pvt_type":"dedicated_ip","pvt_status":"assigned","pvt_zone":"z1","pvt_host":"h1"}`)
	s.ok(outcome(s.Edit(s.Context(), toMove("10.0.0.3", accountC))))
	s.holds("10.0.0.1="+accountB, "10.0.0.2="+accountA, "10.0.0.3="+accountC)
}

// moveAsks: whoever approves assignments approves a move, and nothing else of an edit.
func moveAsks(s *subject) {
	s.give(accountA, "10.0.0.1")
	zone, asked := "z2", 0
	approve := func(_ context.Context, quantity int) error {
		asked += quantity
		return fault.New(fault.PaymentRequired, "")
	}
	s.ok(outcome(s.Edit(s.Context(), EditRequest{Address: "10.0.0.1", Zone: &zone, Approve: approve})))
	r := toMove("10.0.0.1", accountB)
	r.Approve = approve
	testutil.RequireFault(s, outcome(s.Edit(s.Context(), r)), fault.PaymentRequired)
	if asked != 1 {
		s.Errorf("called for %d", asked)
	}
	s.holds("10.0.0.1=" + accountA)
}

// moveOvertaken: of an address that somebody changes meanwhile, the new state decides.
func moveOvertaken(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3")
	p := s.with(when("put", Database, 1, preceded(func() {
		s.ok(outcome(s.Edit(s.Context(), toMove("10.0.0.1", accountC))))
	})))
	s.ok(outcome(p.Edit(s.Context(), toMove("10.0.0.1", accountB))))
	p = s.with(when("put", Database, 1, preceded(func() {
		s.ok(s.release(s.Pool, accountA, "10.0.0.2"))
	})))
	_, err := p.Edit(s.Context(), toMove("10.0.0.2", accountB))
	s.saying(err, "assigned_to superfluous: ip not assigned: "+accountB)
	p = s.with(when("put", Database, 1, preceded(func() {
		s.ok(outcome(s.Edit(s.Context(), toMove("10.0.0.3", accountC))))
	})))
	r := toMove("10.0.0.3", accountB)
	rev := s.stored(Database, "10.0.0.3").Rev()
	r.IfMatch = func(revision string) bool { return revision == rev }
	testutil.RequireFault(s, outcome(p.Edit(s.Context(), r)), fault.PreconditionFailed)
	s.holds("10.0.0.1="+accountB, "10.0.0.2", "10.0.0.3="+accountC)
}

// moveFails: a move that the store does not confirm is taken back, with the copies of both accounts.
func moveFails(s *subject) {
	s.give(accountA, "10.0.0.1", "10.0.0.2")
	_, err := s.with(when("put", Database, 1, notMade)).Edit(s.Context(), toMove("10.0.0.1", accountB))
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	_, err = s.with(when("put", Database, 1, responseLost)).Edit(s.Context(), toMove("10.0.0.2", accountB))
	testutil.RequireFault(s, err, fault.DatastoreUnreachable)
	s.holds("10.0.0.1="+accountA, "10.0.0.2="+accountA)
}

// movesAtOnce: moves, edits and attempts to take the address race. It always has a holder, and the copies are the last
// one's alone.
func movesAtOnce(s *subject) {
	s.give(accountA, "10.0.0.1")
	accounts, zones := []string{accountA, accountB}, []string{"z1", "z2"}
	var moved atomic.Int64
	s.atOnce(12, func(i int, p *Pool) {
		for n := range 5 {
			switch i % 3 {
			case 0:
				_, err := p.Edit(s.Context(), toMove("10.0.0.1", accounts[(i+n)%2]))
				if err == nil {
					moved.Add(1)
				} else {
					testutil.RequireFault(s, err, fault.Conflict)
				}
			case 1:
				_, err := p.Edit(s.Context(), EditRequest{Address: "10.0.0.1", Zone: &zones[(i+n)%2]})
				if err != nil {
					testutil.RequireFault(s, err, fault.Conflict)
				}
			case 2:
				testutil.RequireFault(s, s.assign(p, accountC, "10.0.0.1"), fault.Invalid)
			}
		}
	})
	if moved.Load() == 0 {
		s.Error("nothing was moved: this tested nothing")
	}
	// A process that follows may be late with what the feed delivers.
	s.becomes("10.0.0.1=" + s.stored(Database, "10.0.0.1").String("pvt_assigned_to"))
}
