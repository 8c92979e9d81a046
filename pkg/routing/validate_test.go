package routing

import (
	"errors"
	"fmt"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

var checkCases = []testCase{
	{"schema", schemaErrors},
	{"zone names", zoneNames},
	{"zone names do not multiply", zoneNamesMultiply},
	{"canonical", canonical},
	{"twice in one document", twice},
	{"match", matches},
}

// replaced returns the error that a document is refused with, which is the same for each way to write it.
func (s *subject) refused(data document.Document) error {
	s.Helper()
	_, create := s.Create(s.Context(), clusterA, data, author)
	s.have(clusterB)
	_, replace := s.Replace(s.Context(), clusterB, data, author, nil)
	if jsonText(s, dataOf(create)) != jsonText(s, dataOf(replace)) {
		s.Errorf("PUT says %v, POST %v", create, replace)
	}
	s.ok(outcome(s.Delete(s.Context(), clusterB, author, nil)))
	s.holds(0, map[string][]string{})
	return create
}

func dataOf(err error) any {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Data
	}
	return nil
}

func schemaErrors(s *subject) {
	const required = `{"required":{"message":"Field is required but missing","value":"%s"}}`
	kind := func(want, value string) string {
		return fmt.Sprintf(`{"type":{"message":"Value did not match type(s): %s","target":"%[1]s","value":%s}}`, want, value)
	}
	for data, want := range map[string]string{
		`{}`: fmt.Sprintf(`{"owner":`+required+`,"name":`+required+`,"ips":`+required+`}`, "owner", "name", "ips"),
		`{"owner":7,"name":"n","ips":[],"randomize_routing":"maybe"}`: `{"owner":` + kind("string", "7") + `,
			"ips":` + kind("object", "[]") + `,"randomize_routing":` + kind("boolean", `"maybe"`) + `}`,
		`{"owner":"","name":"n","ips":{"inbound":[],"outbound":{"east":"0.0.0.1"}}}`: `{
			"owner":{"minLength":{"message":"String must be at least 1 characters","target":1,"cause":"","value":""}},
			"ips.inbound":` + kind("object", "[]") + `,"ips.outbound.east":` + kind("array", `"0.0.0.1"`) + `}`,
		`{"owner":"o","name":"n","ips":{"inbound":{"east":["0.0.0.1","x"],"a.b":[null,["0.0.0.1"]]}}}`: `{
			"ips.inbound.east.1":{"not_one_schema_valid":{"message":"failed to validate","value":"x"}},
			"ips.inbound.a%2Eb.0":{"not_one_schema_valid":{"message":"failed to validate","value":null}},
			"ips.inbound.a%2Eb.1":{"not_one_schema_valid":{"message":"failed to validate","value":["0.0.0.1"]}}}`,
	} {
		s.saying(s.refused(doc(s, data)), want)
	}
	s.have(clusterA)
	_, err := s.Patch(s.Context(), clusterA, doc(s, `{"ips":{"inbound":{"east":["1.2.3"]}},"owner":null}`), author, nil)
	s.saying(err, `{"owner":`+fmt.Sprintf(required, "owner")+`,
		"ips.inbound.east.0":{"not_one_schema_valid":{"message":"failed to validate","value":"1.2.3"}}}`)
}

func zoneNames(s *subject) {
	long := strings.Repeat("ü", 64)
	for _, name := range []string{"a", "us east", "a.b", "ü", "世界", "%2E", "_", long} {
		c := document.Document{"owner": "o", "name": "n", "ips": map[string]any{"inbound": map[string]any{name: []any{}}}}
		s.ok(outcome(s.Create(s.Context(), clusterA, c, author)))
		s.ok(outcome(s.Delete(s.Context(), clusterA, author, nil)))
	}
	for _, name := range []string{"", "a/b", "/", "a\nb", "\x00", "\u200e", "\ufeff", "a\u00a0b", long + "x"} {
		data := document.Document{"ips": map[string]any{"outbound": map[string]any{name: []any{}}}}
		s.saying(s.refused(data), fmt.Sprintf(`{"ips.outbound.%s":{"pattern":{"value":%s,
			"message":"The name of a zone has 1 to 64 printable characters and no /"}}}`,
			strings.Trim(jsonText(s, name), `"`), jsonText(s, name)))
	}
}

// zoneNamesMultiply: a long name is not repeated for each of many wrong addresses.
func zoneNamesMultiply(s *subject) {
	name := strings.Repeat("x", 100000)
	list := make([]any, 10000)
	for i := range list {
		list[i] = "x"
	}
	data := document.Document{"owner": "o", "name": "n", "ips": map[string]any{"inbound": map[string]any{name: list}}}
	if text := jsonText(s, dataOf(s.refused(data))); len(text) > 3*len(name) {
		s.Errorf("%d bytes", len(text))
	}
}

func canonical(s *subject) {
	c := s.have(clusterA, "in:east:::ffff:10.0.0.9", "in:east:2001:DB8:0:0::1", "out:west:64:ff9b::1.2.3.4", "out:a:::")
	const want = `{"id":"` + clusterA + `","owner":"o","name":"n","randomize_routing":false,"ips":{
		"inbound":{"east":["10.0.0.9","2001:db8::1"]},"outbound":{"west":["64:ff9b::102:304"],"a":["::"]}}}`
	s.shows(c, want)
	c, err := s.Get(s.Context(), clusterA)
	s.ok(err)
	s.shows(c, want)
	data := body(s, "in:east:::FFFF:10.0.0.9")
	s.ok(outcome(s.Replace(s.Context(), clusterA, data, author, nil)))
	if got := jsonText(s, data); !strings.Contains(got, "::FFFF:10.0.0.9") {
		s.Errorf("the caller's data became %s", got)
	}
	for _, text := range []string{"01.2.3.4", "fe80::1%eth0", "[::1]", "10.0.0.0/8", "1.2.3.4 ", "localhost"} {
		_, err := s.Create(s.Context(), clusterB, body(s, "in:east:"+text), author)
		testutil.RequireFault(s, err, fault.Invalid)
	}
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.9"}})
}

func twice(s *subject) {
	err := s.refused(body(s, "in:a:10.0.0.1", "in:a:10.0.0.2", "in:a:::ffff:10.0.0.1", "in:b.c:10.0.0.2", "out:a:10.0.0.1",
		"in:b.c:10.0.0.1"))
	s.saying(err, `{
		"ips.inbound.a.2":{"unique":{"message":"The address is also at ips.inbound.a.0","value":"::ffff:10.0.0.1"}},
		"ips.inbound.b%2Ec.0":{"unique":{"message":"The address is also at ips.inbound.a.1","value":"10.0.0.2"}},
		"ips.inbound.b%2Ec.1":{"unique":{"message":"The address is also at ips.inbound.a.0","value":"10.0.0.1"}}}`)
	s.have(clusterA, "in:a:10.0.0.1", "out:a:10.0.0.1")
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1", "outbound:10.0.0.1"}})
	_, err = s.Patch(s.Context(), clusterA, doc(s, `{"ips":{"inbound":{"b":["10.0.0.1"]}}}`), author, nil)
	s.saying(err, `{"ips.inbound.b.0":{"unique":{"message":"The address is also at ips.inbound.a.0","value":"10.0.0.1"}}}`)
}

// matches: a revision that is not wanted any more is refused, and nothing is changed.
func matches(s *subject) {
	first := s.have(clusterA, "in:a:10.0.0.1")
	is := func(c Cluster) store.Match { return func(revision string) bool { return revision == c.Revision() } }
	second, err := s.Patch(s.Context(), clusterA, doc(s, `{"name":"second"}`), author, is(first))
	s.ok(err)
	data := body(s, "in:a:10.0.0.2")
	_, replace := s.Replace(s.Context(), clusterA, data, author, is(first))
	_, patch := s.Patch(s.Context(), clusterA, data, author, is(first))
	_, remove := s.Delete(s.Context(), clusterA, author, is(first))
	for _, err := range []error{replace, patch, remove} {
		testutil.RequireFault(s, err, fault.PreconditionFailed)
	}
	testutil.RequireFault(s, outcome(s.Replace(s.Context(), clusterA, doc(s, `{}`), author, is(first))), fault.Invalid)
	if rev := s.stored(Database, clusterA).Rev(); rev != second.Revision() {
		s.Errorf("stored is %s", rev)
	}
	s.holds(0, map[string][]string{clusterA: {"inbound:10.0.0.1"}})
	s.ok(outcome(s.Delete(s.Context(), clusterA, author, is(second))))
}
