package dedicatedip

import (
	"fmt"

	"junctor/pkg/fault"
	"junctor/pkg/pooldb"
	"junctor/pkg/testutil"
)

var summaryCases = []testCase{
	{"summary", summary},
	{"any text", anyText},
}

func summary(s *subject) {
	s.give(accountA, "10.0.0.2")
	s.free("10.0.0.1")
	s.put(`{"_id":"10.0.0.3","pvt_type":"dedicated_ip"}`, `{"_id":"x","pvt_type":"other","pvt_host":"h1"}`)
	for host, want := range map[string]string{
		"":   "[{10.0.0.3    } {10.0.0.1 available z1 h1 } {10.0.0.2 assigned z1 h1 " + accountA + "}]",
		"h1": "[{10.0.0.1 available z1 h1 } {10.0.0.2 assigned z1 h1 " + accountA + "}]",
		"h2": "[]",
	} {
		rows, err := pooldb.Summary(s.Context(), s.s, host)
		s.ok(err)
		if got := fmt.Sprint(rows); got != want {
			s.Errorf("%q: %s, want %s", host, got, want)
		}
	}
}

// anyText: what Kazoo's operators can add is seen in the summary only, and can be taken out again.
func anyText(s *subject) {
	s.ok(s.Add(s.Context(), CreateRequest{Address: "not-an-ip", Zone: "z", Host: "h"}))
	testutil.RequireFault(s, s.Add(s.Context(), CreateRequest{Address: "not-an-ip", Zone: "z", Host: "h"}), fault.Conflict)
	s.ok(s.Add(s.Context(), CreateRequest{Address: "::ffff:10.0.0.1", Zone: "z", Host: "h"}))
	testutil.RequireFault(s, s.Add(s.Context(), CreateRequest{Address: "10.0.0.1", Zone: "z", Host: "h"}), fault.Conflict)
	for _, text := range []string{"", "_design/x", "_local/x"} {
		testutil.RequireFault(s, s.Add(s.Context(), CreateRequest{Address: text, Zone: "z", Host: "h"}), fault.Invalid)
		testutil.RequireFault(s, s.Remove(s.Context(), DeleteRequest{Address: text}), fault.BadIdentifier)
	}
	testutil.RequireFault(s, s.Add(s.Context(), CreateRequest{Address: "text", Zone: "", Host: "h"}), fault.Invalid)
	testutil.RequireFault(s, s.Add(s.Context(), CreateRequest{Address: "10.0.0.2", Zone: "z", Host: ""}), fault.Invalid)
	items, err := s.Read().Available(s.Context(), Filter{})
	s.ok(err)
	if got := fmt.Sprint(items.Items); got != "[{10.0.0.1 z }]" {
		s.Errorf("listed %s", got)
	}
	rows, err := pooldb.Summary(s.Context(), s.s, "")
	s.ok(err)
	if len(rows) != 2 {
		s.Errorf("summary %v", rows)
	}
	s.ok(s.Remove(s.Context(), DeleteRequest{Address: "not-an-ip"}))
	s.ok(s.Remove(s.Context(), DeleteRequest{Address: "::ffff:a00:1"}))
	testutil.RequireFault(s, s.Remove(s.Context(), DeleteRequest{Address: "not-an-ip"}), fault.BadIdentifier)
	testutil.RequireFault(s, s.Remove(s.Context(), DeleteRequest{Address: "10.0.0.1"}), fault.BadIdentifier)
}
