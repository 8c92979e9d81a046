package routing

import (
	"errors"
	"reflect"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/testutil"
)

var documentCases = []testCase{
	{"private fields", privateFields},
	{"unknown", unknownClusters},
	{"create again", createAgain},
	{"list", list},
}

func privateFields(s *subject) {
	data := body(s, "in:east:0.0.0.1")
	data["name"], data["pvt_type"], data["_rev"] = "Käse & Brot 7", "evil", "9-x"
	data["id"], data["_read_only"] = "x", true
	by := Author{AccountID: "a1", UserID: "u1", Authenticated: true, RequestID: "r1"}
	c, err := s.Create(s.Context(), clusterA, data, by)
	s.ok(err)
	stored := s.stored(Database, clusterA)
	if c.Revision() != stored.Rev() || c.ID() != clusterA {
		s.Errorf("returned %s %s, stored %v", c.ID(), c.Revision(), stored)
	}
	delete(stored, "_rev")
	want := doc(s, `{"_id":"`+clusterA+`","owner":"o","name":"Käse & Brot 7","randomize_routing":false,
		"ips":{"inbound":{"east":["0.0.0.1"]},"outbound":{}},"pvt_type":"customer_cluster","pvt_vsn":"1",
		"pvt_account_id":"a1","pvt_account_db":"routing","pvt_created":63867219200,"pvt_modified":63867219200,
		"pvt_request_id":"r1","pvt_is_authenticated":true,"pvt_auth_account_id":"a1","pvt_auth_user_id":"u1",
		"pvt_alphanum_name":"ksebrot7"}`)
	if !reflect.DeepEqual(stored, want) {
		s.Errorf("got  %v\nwant %v", stored, want)
	}
	s.clock.Add(5)
	s.ok(outcome(s.Patch(s.Context(), clusterA, doc(s, `{"name":"x"}`), Author{AccountID: "a2", RequestID: "r2"}, nil)))
	for key, value := range map[string]any{"name": "x", "pvt_modified": document.Number(63867219205),
		"pvt_request_id": "r2", "pvt_auth_account_id": "a2", "pvt_is_authenticated": false, "pvt_alphanum_name": "x"} {
		want[key] = value
	}
	delete(want, "pvt_auth_user_id")
	stored = s.stored(Database, clusterA)
	if delete(stored, "_rev"); !reflect.DeepEqual(stored, want) {
		s.Errorf("got  %v\nwant %v", stored, want)
	}
}

func unknownClusters(s *subject) {
	s.have(clusterA)
	s.ok(outcome(s.s.Put(s.Context(), Database, document.Document{"_id": "other", "pvt_type": "something"})))
	for _, id := range []string{"", clusterB, "other", "_design/routing", "a/b", "a b", ".", "..", strings.Repeat("a", 129)} {
		_, get := s.Get(s.Context(), id)
		_, replace := s.Replace(s.Context(), id, body(s), author, nil)
		_, patch := s.Patch(s.Context(), id, document.Document{}, author, nil)
		_, remove := s.Delete(s.Context(), id, author, nil)
		for _, err := range []error{get, replace, patch, remove} {
			testutil.RequireFault(s, err, fault.BadIdentifier)
			e, _ := errors.AsType[*fault.Error](err)
			if e == nil || !reflect.DeepEqual(e.Data, map[string]any{"cause": id, "message": "bad identifier"}) {
				s.Errorf("%s: %v", id, err)
			}
		}
	}
	testutil.RequireFault(s, outcome(s.Create(s.Context(), "other", body(s), author)), fault.Conflict)
	testutil.RequireFault(s, outcome(s.Create(s.Context(), "_local/x", body(s), author)), fault.BadIdentifier)
}

// createAgain: a deleted cluster leaves nothing to the one that is created in its place.
func createAgain(s *subject) {
	data := body(s, "in:east:0.0.0.1")
	data["kept"] = "x"
	first, err := s.Create(s.Context(), clusterA, data, author)
	s.ok(err)
	testutil.RequireFault(s, outcome(s.Create(s.Context(), clusterA, body(s), author)), fault.Conflict)
	last, err := s.Delete(s.Context(), clusterA, author, nil)
	s.ok(err)
	if last.Revision() != first.Revision() {
		s.Errorf("deleted %s, made %s", last.Revision(), first.Revision())
	}
	if stored := s.stored(Database, clusterA); stored["pvt_deleted"] != true || stored["kept"] != "x" {
		s.Errorf("left is %v", stored)
	}
	s.holds(0, map[string][]string{})
	s.clock.Add(9)
	again := s.have(clusterA, "in:west:0.0.0.1")
	s.shows(again, `{"id":"`+clusterA+`","owner":"o","name":"n","randomize_routing":false,
		"ips":{"inbound":{"west":["0.0.0.1"]},"outbound":{}}}`)
	stored := s.stored(Database, clusterA)
	if created, _ := stored.Int(kazoo.FieldCreated); stored["pvt_deleted"] != nil || created != 63867219209 {
		s.Errorf("stored is %v", stored)
	}
	s.holds(0, map[string][]string{clusterA: {"inbound:0.0.0.1"}})
}

func list(s *subject) {
	got, err := s.List(s.Context())
	if s.ok(err); jsonText(s, got) != `[]` {
		s.Errorf("got %v", got)
	}
	s.have(clusterB)
	s.have(clusterC)
	data := body(s)
	data["randomize_routing"] = "true"
	s.ok(outcome(s.Create(s.Context(), clusterA, data, author)))
	s.ok(outcome(s.Delete(s.Context(), clusterC, author, nil)))
	got, err = s.List(s.Context())
	want := `[{"id":"` + clusterA + `","owner":"o","name":"n","randomize_routing":true},` +
		`{"id":"` + clusterB + `","owner":"o","name":"n","randomize_routing":false}]`
	if s.ok(err); jsonText(s, got) != want {
		s.Errorf("got %s", jsonText(s, got))
	}
}
