package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

func update(s *subject) {
	for want := int64(1); want <= 3; want++ {
		doc, err := s.Update(s.Context(), s.db, "a", increment)
		s.ok(err)
		if n, _ := doc.Int("n"); n != want || doc.Rev() != s.get("a").Rev() {
			s.Errorf("updated to %v, stored is %v", doc, s.get("a"))
		}
	}
	s.remove("a")
	_, err := s.Update(s.Context(), s.db, "a", increment)
	s.ok(err)
	if n, _ := s.get("a").Int("n"); n != 1 {
		s.Errorf("the deleted document counts on: %v", s.get("a"))
	}
}

// increment counts. To a CouchDB cluster two writers of the same would be one.
func increment(doc document.Document) error {
	n, _ := doc.Int("n")
	doc["n"], doc["writer"] = document.Number(n+1), rand.Text()
	return nil
}

func updateEnds(s *subject) {
	rev := s.put(`{"_id":"a","n":1}`)
	enough := errors.New("enough")
	for _, end := range []error{enough, store.ErrUnchanged} {
		_, err := s.Update(s.Context(), s.db, "a", func(doc document.Document) error {
			doc["n"] = "changed"
			return end
		})
		if end == enough && !errors.Is(err, enough) || end == store.ErrUnchanged && err != nil {
			s.Errorf("a change that ends with %q: %v", end, err)
		}
	}
	if doc := s.get("a"); doc.Rev() != rev {
		s.Errorf("written all the same: %v", doc)
	}
}

// updateOvertaken: Update starts over from what the other writer left, nine times and no more.
func updateOvertaken(s *subject) {
	for _, test := range []struct {
		others int64
		kept   bool
	}{{1, true}, {9, true}, {10, false}} {
		id := fmt.Sprintf("overtaken%d", test.others)
		runs := int64(0)
		_, err := s.Update(s.Context(), s.db, id, func(doc document.Document) error {
			if runs++; runs <= test.others {
				other := doc.Clone()
				other["n"] = document.Number(runs)
				_, err := s.Put(s.Context(), s.db, other)
				s.ok(err)
			}
			return increment(doc)
		})
		want := test.others
		if test.kept {
			s.ok(err)
			want++
		} else {
			testutil.RequireFault(s, err, fault.Conflict)
		}
		if n, _ := s.get(id).Int("n"); n != want {
			s.Errorf("overtaken %d times: %v, want n %d", test.others, s.get(id), want)
		}
	}
}

// atOnce starts n functions and waits for them.
func atOnce(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}

// oneWinnerPerRevision is what assigning an address rests on.
func oneWinnerPerRevision(s *subject) {
	const writers = 50
	rev := s.put(`{"_id":"a"}`)
	for range 3 {
		revs := make([]string, writers)
		errs := make([]error, writers)
		atOnce(writers, func(i int) {
			doc := document.Document{"_id": "a", "_rev": rev, "writer": document.Number(int64(i))}
			revs[i], errs[i] = s.Put(s.Context(), s.db, doc)
		})
		doc := s.get("a")
		for i, err := range errs {
			switch {
			case err != nil:
				testutil.RequireFault(s, err, fault.Conflict)
			case doc.Rev() != revs[i]:
				s.Errorf("writer %d won with %s, but stored is %v", i, revs[i], doc)
			}
		}
		if doc.Rev() == rev || doc["_conflicts"] != nil {
			s.Fatalf("stored is %v", doc)
		}
		rev = doc.Rev()
	}
}

// updatesAtOnce: each writer is overtaken by every other once at most, which Update puts up with.
func updatesAtOnce(s *subject) {
	const writers, rounds = 10, 5
	var u updates
	for range rounds {
		u.atOnce(s, writers)
	}
	if n := u.refused.Load(); n > 0 {
		s.Errorf("%d updates gave up", n)
	}
	u.counted(s)
}

// crowdedUpdates: with more writers some may give up, but whoever was told of success counts, and nobody else.
func crowdedUpdates(s *subject) {
	var u updates
	u.atOnce(s, 50)
	u.counted(s)
}

// updates is what writers were told of their updates. The outcome of one is open only on a CouchDB cluster, see Put.
type updates struct{ done, open, refused atomic.Int64 }

func (u *updates) atOnce(s *subject, writers int) {
	atOnce(writers, func(int) {
		switch _, err := s.Update(s.Context(), s.db, "a", increment); {
		case err == nil:
			u.done.Add(1)
		case fault.Is(err, fault.DatastorePartial):
			u.open.Add(1)
		case fault.Is(err, fault.Conflict):
			u.refused.Add(1)
		default:
			s.Error(err)
		}
	})
}

// counted checks that as many updates count as were told so, and besides at most those that are open. On a CouchDB cluster
// a writer may go on from one that is about to lose, and wins over the winner then.
func (u *updates) counted(s *subject) {
	s.Helper()
	nodes, err := s.Nodes(s.Context(), s.db)
	s.ok(err)
	done, open := u.done.Load(), u.open.Load()
	if n, _ := s.get("a").Int("n"); n > done+open || (n < done || open > 0) && nodes == 1 || n == 0 {
		s.Errorf("%d updates count, %d were told so, and %d are open", n, done, open)
	}
}

func writersApart(s *subject) {
	const writers = 20
	s.ok(s.Install(s.Context(), s.db, letters(s)))
	atOnce(writers, func(i int) {
		id := fmt.Sprintf("doc%02d", i)
		if _, err := s.Put(s.Context(), s.db, document.Document{"_id": id, "k": "a"}); err != nil {
			s.Error(err)
		}
		err := s.View(s.Context(), s.db, "letters", "all", store.Query{}, func(store.Row) error { return nil })
		if err != nil {
			s.Error(err)
		}
	})
	if got := s.rows("letters", "all", store.Query{}); len(got) != writers {
		s.Errorf("%d rows of %d writers: %v", len(got), writers, got)
	}
}
