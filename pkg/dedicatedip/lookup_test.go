package dedicatedip

import (
	"fmt"

	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

var lookupCases = []testCase{
	{"get by any spelling", getBySpelling},
	{"get what is none", getWhatIsNone},
	{"very many", veryMany},
}

func getBySpelling(s *subject) {
	s.free("10.0.0.1", "::ffff:10.0.0.2", "2001:0DB8:0:0::000A", "2001:db8::b",
		"2001:DB8::C", "2001:db8::c") // Kazoo takes an address twice, when spelled differently
	for text, id := range map[string]string{
		"10.0.0.1":                "10.0.0.1",
		"::ffff:10.0.0.1":         "10.0.0.1",
		"::ffff:a00:1":            "10.0.0.1",
		"10.0.0.2":                "::ffff:10.0.0.2",
		"::ffff:10.0.0.2":         "::ffff:10.0.0.2",
		"::FFFF:10.0.0.2":         "::ffff:10.0.0.2",
		"2001:0DB8:0:0::000A":     "2001:0DB8:0:0::000A",
		"2001:db8::a":             "2001:0DB8:0:0::000A",
		"2001:DB8:0:0:0:0:0:a":    "2001:0DB8:0:0::000A",
		"2001:DB8::0B":            "2001:db8::b",
		"2001:DB8::C":             "2001:DB8::C",
		"2001:db8::c":             "2001:db8::c",
		"2001:db8:0::c":           "2001:db8::c",
		"2001:0db8:0000::0.0.0.c": "",
	} {
		ip, err := s.Read().Get(s.Context(), text)
		if id == "" {
			testutil.RequireFault(s, err, fault.BadIdentifier)
		} else if err != nil || ip.ID != id {
			s.Errorf("%s: %s, %v, want %s", text, ip.ID, err, id)
		}
	}
}

func getWhatIsNone(s *subject) {
	s.put(`{"_id":"hello","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"z"}`,
		`{"_id":"10.0.0.1","pvt_type":"device"}`, `{"_id":"10.0.0.2"}`,
		`{"_id":"10.0.0.3","pvt_type":"dedicated_ip","pvt_status":"available","pvt_deleted":true}`,
		`{"_id":"01.2.3.4","pvt_type":"dedicated_ip","pvt_status":"available"}`)
	for _, text := range []string{"", "hello", "10.0.0.1", "10.0.0.2", "10.0.0.3", "::ffff:10.0.0.3", "01.2.3.4",
		"1.2.3.4", "[::1]", "_design/dedicated_ips", "_all_docs", "10.0.0.1/24", "fe80::1%eth0", "\x00", "\xff"} {
		_, err := s.Read().Get(s.Context(), text)
		testutil.RequireFault(s, err, fault.BadIdentifier)
		if e, ok := err.(*fault.Error); ok {
			if data, _ := e.Data.(map[string]any); data["cause"] != text || data["message"] != "bad identifier" {
				s.Errorf("%q: data %v", text, e.Data)
			}
		}
	}
}

// veryMany is more than fits a URL.
func veryMany(s *subject) {
	const count = 120
	var texts, odd []string
	for i := range count {
		texts = append(texts, fmt.Sprintf("2001:db8::%x", i+1))
		odd = append(odd, fmt.Sprintf("2001:0DB8::%X", i+1))
	}
	s.free(texts[:count/2]...)
	s.free(odd[count/2:]...)
	ips, err := s.Assign(s.Context(), toAssign(accountA, texts...))
	s.ok(err)
	if len(ips) != count || ips[0].ID() != texts[0] || ips[count-1].ID() != odd[count-1] {
		s.Errorf("%d are assigned", len(ips))
	}
	s.copies(accountA, append(texts[:count/2], odd[count/2:]...)...)
	_, err = s.Assign(s.Context(), toAssign(accountB, odd...))
	if len(findings(err)) != count {
		s.Errorf("%d findings: %.200v", len(findings(err)), err)
	}
	if ips, err = s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA}); err != nil || len(ips) != count {
		s.Errorf("%d are released: %v", len(ips), err)
	}
	s.copies(accountA)
}
