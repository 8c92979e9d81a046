package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// feed follows a database from since on and hands over its changes, each as "id n", or "id gone".
func (s *subject) feed(ctx context.Context, since string) <-chan string {
	changes := make(chan string, 100)
	go func() {
		defer close(changes)
		_ = s.Changes(ctx, s.db, since, func(c store.Change) error {
			if strings.HasPrefix(c.ID, "_design/") {
				return nil
			}
			doc, err := c.Doc()
			n, _ := doc.Int("n")
			text := fmt.Sprint(c.ID, " ", n)
			if c.Deleted {
				text = c.ID + " gone"
			}
			if err != nil || doc.ID() != c.ID || doc.Rev() == "" || doc.Rev() != c.Rev || c.Seq == "" || c.MayConflict() {
				text = fmt.Sprintf("%+v, %v", c, err)
			}
			changes <- text
			return nil
		}, nil)
	}()
	return changes
}

func (s *subject) expect(changes <-chan string, want ...string) {
	s.Helper()
	for _, want := range want {
		if got := <-changes; got != want {
			s.Fatalf("the feed says %q, want %q", got, want)
		}
	}
}

// either expects changes in any order: a CouchDB keeps the documents of a database in shards, and tells the writes
// of each in their order, but not those of two.
func (s *subject) either(changes <-chan string, want ...string) {
	s.Helper()
	got := make([]string, len(want))
	for i := range got {
		got[i] = <-changes
	}
	slices.Sort(got)
	s.equal(got, want...)
}

// changesFollow: a feed tells what was, each document once, and then what comes.
func changesFollow(s *subject) {
	rev := s.put(`{"_id":"a","n":1}`)
	s.put(`{"_id":"b/c","n":1}`)
	s.put(`{"_id":"a","n":2,"_rev":"` + rev + `"}`)
	since, _, err := s.Position(s.Context(), s.db)
	s.ok(err)
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	all, later := s.feed(ctx, ""), s.feed(ctx, since)
	s.either(all, "a 2", "b/c 1")
	s.put(`{"_id":"d","n":1}`)
	s.expect(all, "d 1")
	s.expect(later, "d 1")
	s.remove("a")
	s.expect(all, "a gone")
	s.expect(later, "a gone")
}

// changesEnd: a feed ends with its context, and with its function.
func changesEnd(s *subject) {
	s.put(`{"_id":"a"}`)
	s.put(`{"_id":"b"}`)
	enough := errors.New("enough")
	seen := 0
	err := s.Changes(s.Context(), s.db, "", func(store.Change) error {
		seen++
		return enough
	}, nil)
	if !errors.Is(err, enough) || seen != 1 {
		s.Errorf("%d changes, %v", seen, err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	err = s.Changes(ctx, s.db, "", func(store.Change) error {
		cancel()
		return nil
	}, nil)
	if err == nil || !errors.Is(err, context.Canceled) {
		s.Errorf("after its context: %v", err)
	}
	_, _, err = s.Position(s.Context(), s.db+"-missing")
	testutil.RequireFault(s, err, fault.DatastoreMissing)
	err = s.Changes(s.Context(), s.db+"-missing", "", func(store.Change) error { return nil }, nil)
	testutil.RequireFault(s, err, fault.DatastoreMissing)
}

// changesCurrent: a feed says how current it is: what was written before that time, it has told.
func changesCurrent(s *subject) {
	s.put(`{"_id":"a"}`)
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var told []string
	wanted, since := "a", time.Now()
	_ = s.Changes(ctx, s.db, "", func(c store.Change) error {
		told = append(told, c.ID)
		return nil
	}, func(asOf time.Time) {
		switch {
		case asOf.Before(since):
		case !slices.Contains(told, wanted):
			s.Errorf("current as of a time after %q was written, but told only of %q", wanted, told)
			cancel()
		case wanted == "b":
			cancel()
		default:
			s.put(`{"_id":"b"}`)
			wanted, since = "b", time.Now()
		}
	})
	if !slices.Contains(told, "b") {
		s.Errorf("told only of %q", told)
	}
}

// changesMany: more than one look's worth comes whole, each once.
func changesMany(s *subject) {
	const many = 2500
	docs := make([]document.Document, many)
	for i := range docs {
		docs[i] = document.Document{"_id": fmt.Sprint(i)}
	}
	for some := range slices.Chunk(docs, 500) {
		_, err := s.PutMany(s.Context(), s.db, some)
		s.ok(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	told := map[string]bool{}
	_ = s.Changes(ctx, s.db, "", func(c store.Change) error {
		if told[c.ID] {
			s.Errorf("told of %q twice", c.ID)
		}
		told[c.ID] = true
		return nil
	}, func(time.Time) { cancel() })
	if len(told) < many {
		s.Errorf("told of %d, want %d", len(told), many)
	}
}
