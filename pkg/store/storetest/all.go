package storetest

import (
	"errors"
	"fmt"

	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// listAll: documents in the order of their ids, page by page, without those that are gone.
func listAll(s *subject) {
	list := func(q store.Query) (got []string) {
		s.Helper()
		s.ok(s.All(s.Context(), s.db, q, func(row store.Row) error {
			text := row.ID()
			if q.IncludeDocs {
				doc, err := row.Doc()
				if err != nil {
					return err
				}
				text += fmt.Sprint(" ", doc["v"], " ", doc["_conflicts"])
			}
			got = append(got, text)
			return nil
		}))
		return got
	}
	s.equal(list(store.Query{}))
	for i, id := range []string{"d", "a", "b/c:%", "gone"} {
		s.put(fmt.Sprintf(`{"_id":%q,"v":%d}`, id, i))
	}
	s.remove("gone")
	s.equal(list(store.Query{}), "a", "b/c:%", "d")
	s.equal(list(store.Query{Limit: 2}), "a", "b/c:%")
	s.equal(list(store.Query{StartKey: "b/c:%", Skip: 1}), "d")
	s.equal(list(store.Query{IncludeDocs: true}), "a 1 <nil>", "b/c:% 2 <nil>", "d 0 <nil>")
	enough, rows := errors.New("enough"), 0
	err := s.All(s.Context(), s.db, store.Query{}, func(store.Row) error { rows++; return enough })
	if !errors.Is(err, enough) || rows != 1 {
		s.Errorf("%d rows, then %v", rows, err)
	}
	testutil.RequireFault(s, s.All(s.Context(), s.db+"-missing", store.Query{}, nil), fault.DatastoreMissing)
}
