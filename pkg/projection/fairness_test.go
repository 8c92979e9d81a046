package projection_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// Another process, such as a Kazoo, assigns the address again and writes the copy; then this one releases it.
func TestACopyThatAnotherProcessWroteIsRemovedWithTheRelease(t *testing.T) {
	t.Parallel()
	var s *subject
	o := projection.Options{
		Current: func(id string) (string, bool) { return s.known(id) },
		AsOf:    time.Now,
	}
	inBubble(t, o, func(subject *subject, p *projection.Projector) {
		s = subject
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		go p.Run(ctx)
		p.Project(accountA, []document.Document{s.assign("10.0.0.1", accountA)})
		p.Project(accountA, []document.Document{s.assign("10.0.0.1", "")})
		s.copies(accountA)
		elsewhere := s.assign("10.0.0.1", accountA)
		if _, err := s.Store.Put(s.Context(), databaseOf(accountA), projection.Content(elsewhere)); err != nil {
			s.Fatal(err)
		}
		p.Observe(elsewhere, "")
		time.Sleep(10 * time.Second) // the bubble's, for what the projector does about it
		s.copies(accountA, "10.0.0.1")
		p.Project(accountA, []document.Document{s.assign("10.0.0.1", "")})
		s.copies(accountA)
	})
}

// slowStore takes a second for each read, and counts those at once.
type slowStore struct{ now, most, all atomic.Int64 }

func (s *slowStore) GetMany(context.Context, string, []string) (map[string]document.Document, error) {
	s.all.Add(1)
	s.most.Store(max(s.most.Load(), s.now.Add(1)))
	time.Sleep(time.Second)
	s.now.Add(-1)
	return nil, nil
}

func (s *slowStore) Put(context.Context, string, document.Document) (string, error) {
	return "1-a", nil
}

func (s *slowStore) PutMany(_ context.Context, _ string, docs []document.Document) ([]store.Written, error) {
	return make([]store.Written, len(docs)), nil
}

func (s *slowStore) Resolve(context.Context, string, document.Document, func(document.Document)) error {
	return nil
}

func TestChangesByOthersAreComparedAFewAtATime(t *testing.T) {
	t.Parallel()
	const accounts = 500
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		p := projection.New(s, projection.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		defer p.Close()
		defer cancel()
		go p.Run(ctx)
		for i := range accounts {
			p.Observe(document.Document{"_id": fmt.Sprintf("10.0.0.%d", i), "_rev": "2-x"}, fmt.Sprintf("%032x", i))
		}
		time.Sleep(5 * time.Minute)
		if all, most := s.all.Load(), s.most.Load(); all < accounts || most > 64 {
			t.Errorf("%d reads, %d at once", all, most)
		}
	})
}
