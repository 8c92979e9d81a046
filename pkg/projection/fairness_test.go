package projection_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// Another process, such as a Kazoo, assigns the address again and writes the copy; then this one releases it.
func TestACopyThatAnotherProcessWroteIsRemovedWithTheRelease(t *testing.T) {
	t.Parallel()
	var s *subject
	o := projection.Options{
		Current: func(doc document.Document) bool { return s.known(doc) },
	}
	inBubble(t, o, func(subject *subject, p *projection.Projector) {
		s = subject
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		go p.Run(ctx)
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", accountA)}, accountA)
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", "")}, accountA)
		s.copies(accountA)
		elsewhere := s.assign("10.0.0.1", accountA)
		if _, err := s.Store.Put(s.Context(), databaseOf(accountA), projection.Content(elsewhere)); err != nil {
			s.Fatal(err)
		}
		p.Observe(elsewhere, "")
		time.Sleep(10 * time.Second) // the bubble's, for what the projector does about it
		s.copies(accountA, "10.0.0.1")
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", "")}, accountA)
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

const moment = 20 * time.Millisecond // of the bubble

// once is a store on which the first write of each copy meets a conflict, and every write takes a moment.
type once struct {
	slowStore
	mu   sync.Mutex
	seen map[string]bool
}

func (o *once) GetMany(_ context.Context, db string, ids []string) (map[string]document.Document, error) {
	found := map[string]document.Document{}
	for _, id := range ids {
		if db == kazoo.DedicatedIPs {
			found[id] = document.Document{"_id": id, "_rev": "1-a", kazoo.FieldType: kazoo.TypeDedicatedIP,
				kazoo.FieldStatus: kazoo.Assigned, kazoo.FieldAssignedTo: accountA}
		}
	}
	return found, nil
}

func (o *once) PutMany(_ context.Context, _ string, docs []document.Document) ([]store.Written, error) {
	time.Sleep(moment)
	return make([]store.Written, len(docs)), nil
}

func (o *once) Put(_ context.Context, _ string, doc document.Document) (string, error) {
	time.Sleep(moment)
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.seen[doc.ID()] {
		o.seen[doc.ID()] = true
		return "", fault.New(fault.Conflict, "")
	}
	return "1-a", nil
}

// The pauses grow while the same copies fail, and not because others of the account have failed before.
func TestACopyThatFailsOnceDoesNotWaitForThePausesOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := projection.New(&once{seen: map[string]bool{}}, projection.Options{})
		defer p.Close()
		var requests sync.WaitGroup
		for n := range 1000 {
			requests.Go(func() {
				began := time.Now()
				p.Project(t.Context(), []document.Document{{"_id": fmt.Sprintf("10.0.0.%d", n), "_rev": "1-a"}}, accountA)
				if took := time.Since(began); took >= projection.DefaultPatience {
					t.Errorf("copy %d waited %v", n, took)
				}
			})
			time.Sleep(moment / 2)
		}
		requests.Wait()
	})
}
