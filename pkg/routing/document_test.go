package routing

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/testutil"
)

var documentCases = []testCase{
	{"recorded", recorded},
	{"documentation", documentation},
	{"private fields", privateFields},
	{"unknown", unknownClusters},
	{"create again", createAgain},
	{"list", list},
}

// example is a call of the documentation, and the data of the answer it shows.
type example struct {
	method     string
	data, want document.Document
}

func examples(t testing.TB) []example {
	t.Helper()
	text, err := os.ReadFile("testdata/call-routing-api.txt")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`(?s)curl -v -X (\w+) .*?customer_cluster/?(?: \\\n +-d '(.*?)')?\n(\{.*?\n\})`)
	var list []example
	for _, found := range form.FindAllSubmatch(text, -1) {
		e := example{method: string(found[1]), want: doc(t, string(found[3]))["data"].(map[string]any)}
		if len(found[2]) > 0 {
			e.data = doc(t, string(document.BlankContinuations(found[2])))["data"].(map[string]any)
		}
		list = append(list, e)
	}
	if len(list) != 5 {
		t.Fatalf("%d examples", len(list))
	}
	return list
}

// documentation: every example holds, twice in a row, and then all of them again. PUT is answered with what was
// sent, which is not what the document shows.
func documentation(s *subject) {
	list := examples(s)
	for range 2 {
		for _, e := range list[1:] {
			s.example(e)
		}
	}
	shown := list[0].want // GET
	_, err := s.Create(s.Context(), clusterA, shown, author)
	s.ok(err)
	for range 2 {
		got, err := s.Get(s.Context(), clusterA)
		s.ok(err)
		s.shows(got, jsonText(s, shown))
	}
}

func (s *subject) example(e example) {
	s.Helper()
	want, do := e.want, func() (Cluster, error) { return s.Delete(s.Context(), clusterA, author, nil) }
	again := fault.Internal // success
	switch e.method {
	case "PUT":
		want = e.data.Clone()
		want["id"] = clusterA
		do = func() (Cluster, error) { return s.Create(s.Context(), clusterA, e.data, author) }
		again = fault.Conflict
	case "POST":
		do = func() (Cluster, error) { return s.Replace(s.Context(), clusterA, e.data, author, nil) }
	case "PATCH":
		do = func() (Cluster, error) { return s.Patch(s.Context(), clusterA, e.data, author, nil) }
	case "DELETE":
		again = fault.BadIdentifier
	}
	got, err := do()
	s.ok(err)
	s.shows(got, jsonText(s, want))
	got, err = do()
	if again != fault.Internal {
		testutil.RequireFault(s, err, again)
		return
	}
	s.ok(err)
	s.shows(got, jsonText(s, want))
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
		s.Errorf("answered %s %s, stored %v", c.ID(), c.Revision(), stored)
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
	_, err = s.Patch(s.Context(), clusterA, doc(s, `{"name":"x"}`), Author{AccountID: "a2", RequestID: "r2"}, nil)
	s.ok(err)
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
	_, err := s.s.Put(s.Context(), Database, document.Document{"_id": "other", "pvt_type": "something"})
	s.ok(err)
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
	_, err = s.Create(s.Context(), "other", body(s), author)
	testutil.RequireFault(s, err, fault.Conflict)
	_, err = s.Create(s.Context(), "_local/x", body(s), author)
	testutil.RequireFault(s, err, fault.BadIdentifier)
}

// createAgain: a deleted cluster leaves nothing to the one that is created in its place.
func createAgain(s *subject) {
	data := body(s, "in:east:0.0.0.1")
	data["kept"] = "x"
	first, err := s.Create(s.Context(), clusterA, data, author)
	s.ok(err)
	_, err = s.Create(s.Context(), clusterA, body(s), author)
	testutil.RequireFault(s, err, fault.Conflict)
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
	_, err = s.Create(s.Context(), clusterA, data, author)
	s.ok(err)
	_, err = s.Delete(s.Context(), clusterC, author, nil)
	s.ok(err)
	got, err = s.List(s.Context())
	want := `[{"id":"` + clusterA + `","owner":"o","name":"n","randomize_routing":true},` +
		`{"id":"` + clusterB + `","owner":"o","name":"n","randomize_routing":false}]`
	if s.ok(err); jsonText(s, got) != want {
		s.Errorf("got %s", jsonText(s, got))
	}
}
