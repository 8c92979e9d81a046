package storetest

import (
	"fmt"
	"maps"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

func getMany(s *subject) {
	for _, id := range []string{"a", "b", "c", "gone"} {
		s.put(`{"_id":"` + id + `"}`)
	}
	s.remove("gone")
	tests := []struct{ ids, want []string }{
		{nil, nil},
		{[]string{"a"}, []string{"a"}},
		{[]string{"missing"}, nil},
		{[]string{"gone"}, nil},
		{[]string{"c", "missing", "a", "gone"}, []string{"a", "c"}},
		{[]string{"b", "b"}, []string{"b"}},
	}
	for _, test := range tests {
		docs, err := s.GetMany(s.Context(), s.db, test.ids)
		s.ok(err)
		if got := slices.Sorted(maps.Keys(docs)); !slices.Equal(got, test.want) {
			s.Errorf("%v: got %v", test.ids, got)
		}
		for id, doc := range docs {
			if doc.ID() != id || doc.Rev() == "" {
				s.Errorf("%v: under %q is %v", test.ids, id, doc)
			}
			if _, ok := doc["_conflicts"]; ok {
				s.Errorf("a conflict nobody made: %v", doc)
			}
		}
	}
}

// getVeryMany asks for more than fits a URL.
func getVeryMany(s *subject) {
	var docs []document.Document
	var ids []string
	for i := range 500 {
		id := fmt.Sprintf("a rather long document id %08d", i)
		ids = append(ids, id)
		docs = append(docs, document.Document{"_id": id})
	}
	_, err := s.PutMany(s.Context(), s.db, docs)
	s.ok(err)
	found, err := s.GetMany(s.Context(), s.db, ids)
	s.ok(err)
	if len(found) != len(ids) {
		s.Errorf("%d of %d found", len(found), len(ids))
	}
}

// putMany: every document for itself; the results are in the order given.
func putMany(s *subject) {
	rev := s.put(`{"_id":"changed"}`)
	s.put(`{"_id":"stale"}`)
	removed := s.put(`{"_id":"removed"}`)
	written, err := s.PutMany(s.Context(), s.db, []document.Document{
		s.parse(`{"_id":"new","n":1}`),
		s.parse(`{"_id":"stale","n":1}`),
		s.parse(`{"_id":"changed","n":1,"_rev":"` + rev + `"}`),
		s.parse(`{"_id":"removed","_deleted":true,"_rev":"` + removed + `"}`),
	})
	s.ok(err)
	if len(written) != 4 {
		s.Fatalf("%d results", len(written))
	}
	testutil.RequireFault(s, written[1].Err, fault.Conflict)
	for _, i := range []int{0, 2, 3} {
		if written[i].Err != nil || written[i].Rev == "" {
			s.Errorf("document %d: %+v", i, written[i])
		}
	}
	for i, id := range []string{"new", "", "changed"} {
		if id != "" && s.get(id).Rev() != written[i].Rev {
			s.Errorf("%s: %v, written %v", id, s.get(id), written[i])
		}
	}
	_, err = s.Get(s.Context(), s.db, "removed")
	testutil.RequireFault(s, err, fault.BadIdentifier)
	if written, err := s.PutMany(s.Context(), s.db, nil); err != nil || len(written) != 0 {
		s.Errorf("nothing to write: %v, %v", written, err)
	}
}
