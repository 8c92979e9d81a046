package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// rows reads a view, each row as "KEY ID VALUE".
func (s *subject) rows(design, view string, q store.Query) []string {
	s.Helper()
	rows := []string{}
	err := s.View(s.Context(), s.db, design, view, q, func(row store.Row) error {
		var key, value json.RawMessage
		if err := errors.Join(row.Key(&key), row.Value(&value)); err != nil {
			return err
		}
		rows = append(rows, fmt.Sprintf("%s %s %s", key, row.ID(), value))
		return nil
	})
	s.ok(err)
	return rows
}

func (s *subject) equal(got []string, want ...string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("got\n\t%q, want\n\t%q", got, want)
	}
}

// sample installs letters and writes a document for each key, under the ids doc00, doc01 and on.
func (s *subject) sample(keys ...string) {
	s.Helper()
	s.ok(s.Install(s.Context(), s.db, letters(s)))
	for i, key := range keys {
		s.put(fmt.Sprintf(`{"_id":"doc%02d","k":%s,"v":%d}`, i, key, i))
	}
}

// keysOf reads the keys of letters/all, as JSON.
func (s *subject) keysOf(q store.Query) []string {
	s.Helper()
	keys := []string{}
	err := s.View(s.Context(), s.db, "letters", "all", q, func(row store.Row) error {
		var key json.RawMessage
		err := row.Key(&key)
		keys = append(keys, string(key))
		return err
	})
	s.ok(err)
	return keys
}

// viewOrder: CouchDB's order of JSON values.
func viewOrder(s *subject) {
	order := []string{
		`null`, `false`, `true`,
		`-1000000`, `-1.5`, `-1`, `0`, `0.1`, `0.25`, `1`, `2`, `10`, `63962540127`, `1000000000000000`,
		`""`, `"0"`, `"00"`, `"1"`, `"10"`, `"9"`, `"a"`, `"aa"`, `"ab"`, `"b"`, `"east"`, `"west"`, `"zz"`,
		`[]`, `[null]`, `[0]`, `[0,"a"]`, `[1]`, `["a"]`, `["a",null]`, `["a",1]`, `["a","a"]`, `["a",{}]`, `["b"]`,
		`[[]]`, `[{}]`, `{}`, `{"a":1}`, `{"a":2}`, `{"a":"b"}`, `{"b":1}`, `{"b":1,"c":1}`,
	}
	written := slices.Clone(order)
	slices.Sort(written) // any order but the right one
	s.sample(written...)
	s.equal(s.keysOf(store.Query{}), order...)
	slices.Reverse(order)
	s.equal(s.keysOf(store.Query{Descending: true}), order...)
}

func viewKeys(s *subject) {
	s.sample(`"a"`, `"b"`, `1`, `[1]`, `["a"]`, `["a",{"b":[]}]`, `{"a":1}`, `false`, `"b c/d+%"`, `"b"`)
	for _, key := range []string{
		`"a"`, `1`, `[1]`, `["a"]`, `["a",{"b":[]}]`, `{"a":1}`, `false`, `"b c/d+%"`,
	} {
		s.equal(s.keysOf(store.Query{Key: json.RawMessage(key)}), key)
	}
	s.equal(s.keysOf(store.Query{Key: "b"}), `"b"`, `"b"`)
	s.equal(s.keysOf(store.Query{Key: []any{"a"}}), `["a"]`)
	for _, key := range []any{"", "c", "A", 2, []any{}, []any{"a", "b"}, true} {
		s.equal(s.keysOf(store.Query{Key: key}))
	}
}

func viewRanges(s *subject) {
	s.sample(`"a"`, `"b"`, `"c"`, `"d"`, `["a",1]`, `["a",2]`, `["b",1]`, `5`)
	tests := []struct {
		q    store.Query
		want []string
	}{
		{store.Query{StartKey: "b", EndKey: "c"}, []string{`"b"`, `"c"`}},
		{store.Query{StartKey: "aa", EndKey: "bb"}, []string{`"b"`}},
		{store.Query{EndKey: "a"}, []string{`5`, `"a"`}},
		{store.Query{StartKey: "d"}, []string{`"d"`, `["a",1]`, `["a",2]`, `["b",1]`}},
		{store.Query{StartKey: []any{"a"}, EndKey: []any{"a", map[string]any{}}}, []string{`["a",1]`, `["a",2]`}},
		{store.Query{StartKey: []any{"z"}}, nil},
		{store.Query{StartKey: "b", EndKey: "b"}, []string{`"b"`}},
		{store.Query{StartKey: "c", EndKey: "b", Descending: true}, []string{`"c"`, `"b"`}},
		{store.Query{EndKey: "d", Descending: true}, []string{`["b",1]`, `["a",2]`, `["a",1]`, `"d"`}},
		{store.Query{StartKey: "a", EndKey: "d", Limit: 2}, []string{`"a"`, `"b"`}},
		{store.Query{StartKey: "a", EndKey: "d", Skip: 1, Limit: 2}, []string{`"b"`, `"c"`}},
		{store.Query{StartKey: "d", EndKey: "a", Descending: true, Skip: 3}, []string{`"a"`}},
		{store.Query{Limit: 1}, []string{`5`}},
		{store.Query{Limit: 1, Descending: true}, []string{`["b",1]`}},
		{store.Query{Skip: 8}, nil},
		{store.Query{Skip: 7, Limit: 5}, []string{`["b",1]`}},
	}
	for _, test := range tests {
		got := s.keysOf(test.q)
		if !slices.Equal(got, test.want) {
			s.Errorf("%+v: got %q, want %q", test.q, got, test.want)
		}
	}
}

// viewRowsOfOneKey: they stand in the order of their documents' ids, byte by byte, and one document may have many.
func viewRowsOfOneKey(s *subject) {
	s.sample()
	ids := []string{"10.0.0.1", "10.0.0.10", "10.0.0.9", "2001:db8::1", "A", "B", "a", "a b", "a0", "b"}
	for _, id := range slices.Backward(ids) {
		s.put(`{"_id":"` + id + `","k":"east"}`)
	}
	s.put(`{"_id":"many","ks":["west","north","west",1]}`)
	want := []string{`1 many null`}
	for _, id := range ids {
		want = append(want, `"east" `+id+` null`)
	}
	want = append(want, `"north" many null`, `"west" many null`, `"west" many null`)
	s.equal(s.rows("letters", "all", store.Query{}), want...)
}

// allPages reads the ids of a database page by page.
func allPages(s *subject) {
	want := []string{"10.0.0.1", "A", "a b", "b/c:%", "d", "e"}
	for _, id := range want {
		s.put(fmt.Sprintf(`{"_id":%q}`, id))
	}
	for size := 1; size <= len(want)+1; size++ {
		var seen []string
		s.ok(store.AllPages(s.Context(), s, s.db, size, func(docs []document.Document) error {
			for _, doc := range docs {
				seen = append(seen, doc.ID())
			}
			_, err := s.Get(s.Context(), s.db, docs[0].ID()) // a page may call the store
			return err
		}))
		s.equal(seen, want...)
	}
}

func viewDocuments(s *subject) {
	s.sample(`"a"`, `"b"`)
	var got []string
	err := s.View(s.Context(), s.db, "letters", "all", store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		if err != nil {
			return err
		}
		if doc.ID() != row.ID() || doc.Rev() != "" && doc["v"] == nil {
			s.Errorf("row of %s has %v", row.ID(), doc)
		}
		got = append(got, doc.ID()+" "+doc.String("k"))
		return nil
	})
	s.ok(err)
	s.equal(got, "doc00 a", "doc01 b")
}

// viewFollowsWrites: what was written is in the next reading, and design documents never are.
func viewFollowsWrites(s *subject) {
	s.put(`{"_id":"before","k":"a"}`)
	s.sample()
	s.equal(s.keysOf(store.Query{}), `"a"`)
	rev := s.put(`{"_id":"after","k":"b"}`)
	s.equal(s.keysOf(store.Query{}), `"a"`, `"b"`)
	s.put(`{"_id":"after","k":"c","_rev":"` + rev + `"}`)
	s.equal(s.keysOf(store.Query{}), `"a"`, `"c"`)
	s.remove("before")
	s.equal(s.keysOf(store.Query{}), `"c"`)
	s.put(`{"_id":"before","k":"d"}`)
	s.equal(s.keysOf(store.Query{}), `"c"`, `"d"`)
	s.equal(s.rows("letters", "ids", store.Query{}),
		fmt.Sprintf("%q after %q", "after", s.get("after").Rev()),
		fmt.Sprintf("%q before %q", "before", s.get("before").Rev()))
}

// viewThatThrows: a document that a function fails on has no rows; the others have theirs.
func viewThatThrows(s *subject) {
	s.ok(s.Install(s.Context(), s.db, design(s, `{"_id":"_design/own","language":"javascript",
		"views":{"v":{"map":"function(doc) { emit(doc.a.b, null); }"}}}`)))
	s.put(`{"_id":"bad"}`)
	s.put(`{"_id":"good","a":{"b":"c"}}`)
	s.equal(s.rows("own", "v", store.Query{}), `"c" good null`)
}

// viewStoppedEarly: a reader that has seen enough leaves nothing behind, however often.
func viewStoppedEarly(s *subject) {
	s.sample(`"a"`, `"b"`, `"c"`)
	enough := errors.New("enough")
	for i := range 20 {
		seen := 0
		err := s.View(s.Context(), s.db, "letters", "all", store.Query{}, func(store.Row) error {
			seen++
			return enough
		})
		if !errors.Is(err, enough) || seen != 1 {
			s.Fatalf("%d rows, %v", seen, err)
		}
		s.put(fmt.Sprintf(`{"_id":"more%02d"}`, i))
	}
	s.equal(s.keysOf(store.Query{}), `"a"`, `"b"`, `"c"`)
}
