package storetest

import (
	"encoding/json"

	"junctor/pkg/store"
)

// groups: how zones and hosts are listed.
func groups(s *subject) {
	s.sample(`"b"`, `"a"`, `"c"`, `"a"`, `"b"`, `"a"`, `null`, `["a"]`)
	tests := []struct {
		q    store.Query
		want []string
	}{
		{store.Query{}, []string{`null`, `"a"`, `"b"`, `"c"`, `["a"]`}},
		{store.Query{Descending: true}, []string{`["a"]`, `"c"`, `"b"`, `"a"`, `null`}},
		{store.Query{Key: "a"}, []string{`"a"`}},
		{store.Query{Key: "d"}, nil},
		{store.Query{StartKey: "a", EndKey: "b"}, []string{`"a"`, `"b"`}},
		{store.Query{Skip: 1, Limit: 2}, []string{`"a"`, `"b"`}},
	}
	for _, test := range tests {
		test.q.Group = true
		var got []string
		err := s.View(s.Context(), s.db, "letters", "distinct", test.q, func(row store.Row) error {
			var key json.RawMessage
			err := row.Key(&key)
			got = append(got, string(key))
			return err
		})
		s.ok(err)
		s.equal(got, test.want...)
	}
}

func groupValues(s *subject) {
	s.sample(`"b"`, `"a"`, `"a"`, `"b"`, `"a"`)
	grouped := store.Query{Group: true}
	s.equal(s.rows("letters", "distinct", grouped), `"a"  true`, `"b"  true`)
	s.equal(s.rows("letters", "count", grouped), `"a"  3`, `"b"  2`)
	s.equal(s.rows("letters", "sum", grouped), `"a"  7`, `"b"  3`)
	// Without grouping the same view is a plain one.
	s.equal(s.rows("letters", "sum", store.Query{Key: "b"}), `"b" doc00 0`, `"b" doc03 3`)
	s.remove("doc04")
	s.equal(s.rows("letters", "sum", grouped), `"a"  3`, `"b"  3`)
	s.remove("doc01")
	s.remove("doc02")
	s.equal(s.rows("letters", "count", grouped), `"b"  2`)
}
