package projection_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

const (
	accountA = "20d27928305e257782655b7896c79f14"
	accountB = "09c766718e5cfdbc70c929dccb4e00fc"
)

// faulty is a store whose writes to account databases can be made to fail, or to take long.
type faulty struct {
	*store.Store
	fail    atomic.Pointer[fault.Kind] // all writes
	failing sync.Map                   // writes of these ids
	slow    sync.Map                   // durations by id
	puts    atomic.Int64
	reads   atomic.Int64
	writing sync.Map     // counts by id
	most    atomic.Int64 // writes of one document at once
}

func (f *faulty) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	f.reads.Add(1)
	return f.Store.GetMany(ctx, db, ids)
}

func (f *faulty) Put(ctx context.Context, db string, doc document.Document) (string, error) {
	defer f.enter(doc)()
	if kind := f.fail.Load(); kind != nil {
		return "", fault.New(*kind, "")
	}
	if _, fails := f.failing.Load(doc.ID()); fails {
		return "", fault.New(fault.DatastoreUnreachable, "")
	}
	return f.Store.Put(ctx, db, doc)
}

func (f *faulty) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	defer f.enter(docs...)()
	if kind := f.fail.Load(); kind != nil {
		return nil, fault.New(*kind, "")
	}
	for _, doc := range docs {
		if _, fails := f.failing.Load(doc.ID()); fails {
			return nil, fault.New(fault.DatastoreUnreachable, "")
		}
	}
	return f.Store.PutMany(ctx, db, docs)
}

// enter counts the writes of documents that are under way, and delays them.
func (f *faulty) enter(docs ...document.Document) (leave func()) {
	f.puts.Add(1)
	for _, doc := range docs {
		count, _ := f.writing.LoadOrStore(doc.ID(), new(atomic.Int64))
		f.most.Store(max(f.most.Load(), count.(*atomic.Int64).Add(1)))
		if delay, slow := f.slow.Load(doc.ID()); slow {
			time.Sleep(delay.(time.Duration))
		}
	}
	return func() {
		for _, doc := range docs {
			count, _ := f.writing.Load(doc.ID())
			count.(*atomic.Int64).Add(-1)
		}
	}
}

// subject is an embedded store with a pool and two accounts.
type subject struct {
	*testing.T
	*faulty
	current sync.Map // revisions of the pool that this process knows, by id
	repairs atomic.Int64
}

// inBubble runs a test in time that passes only while all wait.
func inBubble(t *testing.T, o projection.Options, test func(s *subject, p *projection.Projector)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opened, err := store.Open("memory:", store.Options{})
		testutil.OK(t, err)
		s := &subject{T: t, faulty: &faulty{Store: opened}}
		for _, db := range []string{kazoo.DedicatedIPs, databaseOf(accountA), databaseOf(accountB)} {
			testutil.OK(t, opened.CreateDatabase(t.Context(), db))
		}
		o.Repaired = func(string) { s.repairs.Add(1) }
		p := projection.New(s.faulty, o)
		defer func() {
			p.Close()
			if err := opened.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(s, p)
	})
}

// known has a projector trust the revisions that the test wrote.
func (s *subject) known(doc document.Document) bool {
	rev, _ := s.current.Load(doc.ID())
	if doc.Bool("_deleted") {
		return rev == nil
	}
	return rev == doc.Rev()
}

func databaseOf(accountID string) string {
	db, err := account.Database(accountID)
	if err != nil {
		panic(err)
	}
	return db
}

// assign writes an address to the pool, held by an account or, if that is empty, available.
func (s *subject) assign(id, accountID string) document.Document {
	s.Helper()
	doc, err := s.Store.Update(context.Background(), kazoo.DedicatedIPs, id, func(doc document.Document) error {
		doc["pvt_type"], doc["pvt_zone"], doc["pvt_status"] = "dedicated_ip", "zone", "available"
		delete(doc, "pvt_assigned_to")
		if accountID != "" {
			doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", accountID
		}
		return nil
	})
	testutil.OK(s, err)
	s.current.Store(id, doc.Rev())
	return doc
}

// copies checks which addresses an account has copies of, each equal to the pool.
func (s *subject) copies(accountID string, want ...string) {
	s.Helper()
	got := map[string]bool{}
	err := s.All(s.Context(), databaseOf(accountID), store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		if err != nil {
			return err
		}
		got[doc.ID()] = true
		pool, err := s.Get(s.Context(), kazoo.DedicatedIPs, doc.ID())
		if err == nil && !projection.SameContent(doc, pool) {
			s.Errorf("the copy of %s is %v", doc.ID(), doc)
		}
		return err
	})
	testutil.OK(s, err)
	if len(got) != len(want) {
		s.Errorf("copies of %v, want %v", got, want)
	}
	for _, id := range want {
		if !got[id] {
			s.Errorf("no copy of %s", id)
		}
	}
}

func TestProjectFollowsThePool(t *testing.T) {
	t.Parallel()
	for name, knows := range map[string]bool{"with known revisions": true, "reading": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s *subject
			o := projection.Options{}
			if knows {
				o.Current = func(doc document.Document) bool { return s.known(doc) }
			}
			inBubble(t, o, func(subject *subject, p *projection.Projector) {
				s = subject
				doc := s.assign("10.0.0.1", accountA)
				p.Project(t.Context(), []document.Document{doc}, accountA)
				s.copies(accountA, "10.0.0.1")
				p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", ""), s.assign("10.0.0.2", accountA)}, accountA)
				s.copies(accountA, "10.0.0.2")
				p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", accountB)}, accountB)
				s.copies(accountA, "10.0.0.2")
				s.copies(accountB, "10.0.0.1")
				if reads := s.reads.Load(); knows && reads != 0 {
					s.Errorf("%d reads of what this process had written itself", reads)
				}
			})
		})
	}
}

// Fault B4: the copy always conflicts.
func TestProjectBacksOffAndReturns(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		for _, kind := range []fault.Kind{fault.Conflict, fault.DatastoreUnreachable} {
			s.fail.Store(&kind)
			s.puts.Store(0)
			doc := s.assign("10.0.0.1", accountA)
			began := time.Now()
			p.Project(t.Context(), []document.Document{doc}, accountA)
			if took := time.Since(began); took != projection.DefaultPatience {
				s.Errorf("%v: Project returned after %v", kind, took)
			}
			time.Sleep(time.Minute)
			if calls := s.puts.Load(); calls < 5 || calls > 50 {
				s.Errorf("%v: %d writes in a minute", kind, calls)
			}
			if p.Waiting() != 1 {
				s.Errorf("%v: %d accounts wait", kind, p.Waiting())
			}
			s.fail.Store(nil)
			time.Sleep(time.Minute)
			s.copies(accountA, "10.0.0.1")
			p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", "")}, accountA)
			s.copies(accountA)
		}
	})
}

func TestNoCopiesAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		began := time.Now()
		p.Project(s.Context(), nil, accountA)
		if err := p.Repair(s.Context(), accountA, nil); err != nil || time.Since(began) > 0 {
			s.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

// However many requests an account with a database that can't be written gets.
func TestCopiesThatFailAreTriedTogether(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		kind := fault.DatastoreUnreachable
		s.fail.Store(&kind)
		var want []string
		var requests sync.WaitGroup
		for i := range 100 {
			id := fmt.Sprintf("10.0.0.%d", i)
			doc := s.assign(id, accountA)
			requests.Go(func() { p.Project(t.Context(), []document.Document{doc}, accountA) })
			want = append(want, id)
			time.Sleep(100 * time.Millisecond)
		}
		requests.Wait()
		time.Sleep(time.Minute)
		s.puts.Store(0)
		time.Sleep(time.Minute)
		if calls := s.puts.Load(); calls < 5 || calls > 15 {
			s.Errorf("%d calls in a minute", calls)
		}
		s.fail.Store(nil)
		time.Sleep(time.Minute)
		s.copies(accountA, want...)
		if p.Waiting() != 0 {
			s.Errorf("%d accounts wait", p.Waiting())
		}
	})
}

// There are more copies than one call of the store takes.
func TestCopiesAreWrittenPastThoseThatFail(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		var docs []document.Document
		for i := range 501 {
			docs = append(docs, s.assign(fmt.Sprintf("10.0.1.%d", 100+i), accountA))
		}
		s.failing.Store("10.0.1.100", true)
		p.Project(t.Context(), docs, accountA)
		s.copies(accountA, "10.0.1.600")
	})
}

func TestACopyHasOneWriter(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		s.slow.Store("10.0.0.1", time.Second)
		var writers sync.WaitGroup
		for i := range 50 {
			holder := []string{accountA, ""}[i%2]
			doc := s.assign("10.0.0.1", holder)
			writers.Go(func() { p.Project(t.Context(), []document.Document{doc}, accountA) })
			if i == 0 {
				synctest.Wait() // until the first write is under way
			}
		}
		writers.Wait()
		time.Sleep(time.Minute)
		s.copies(accountA)
		if s.most.Load() != 1 {
			s.Errorf("%d writes of one copy at once", s.most.Load())
		}
	})
}

func TestCopiesOfOneAccountDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		s.slow.Store("10.0.0.1", time.Second)
		s.failing.Store("10.0.0.2", true)
		both := []document.Document{s.assign("10.0.0.1", accountA), s.assign("10.0.0.2", accountA)}
		var writers sync.WaitGroup
		for _, doc := range both {
			writers.Go(func() { p.Project(t.Context(), []document.Document{doc}, accountA) })
		}
		synctest.Wait()
		began := time.Now()
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.3", accountA)}, accountA)
		if took := time.Since(began); took != 0 {
			s.Errorf("a copy waited %v for others of the account", took)
		}
		writers.Wait()
		s.copies(accountA, "10.0.0.1", "10.0.0.3")
		s.failing.Delete("10.0.0.2")
		time.Sleep(time.Minute)
		s.copies(accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		if p.Waiting() != 0 {
			s.Errorf("%d accounts wait", p.Waiting())
		}
	})
}

func TestObserveWritesWhatOthersLeft(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		go p.Run(ctx)
		own := s.assign("10.0.0.1", accountA)
		p.Project(t.Context(), []document.Document{own}, accountA)
		reads := s.reads.Load()
		p.Observe(own, "")
		time.Sleep(time.Minute)
		if s.reads.Load() != reads {
			s.Error("a copy that this process wrote was read again")
		}
		p.Observe(s.assign("10.0.0.2", accountA), "") // by Kazoo, which then writes the copy
		time.Sleep(time.Second)
		if s.reads.Load() != reads {
			s.Error("a change was not left alone")
		}
		time.Sleep(time.Minute)
		s.copies(accountA, "10.0.0.1", "10.0.0.2")
		p.Observe(s.assign("10.0.0.1", accountB), accountA)
		time.Sleep(time.Minute)
		s.copies(accountA, "10.0.0.2")
		s.copies(accountB, "10.0.0.1")
		if n := s.repairs.Load(); n != 3 {
			s.Errorf("%d repairs were reported", n)
		}
	})
}

func TestCloseInterruptsRetries(t *testing.T) {
	t.Parallel()
	inBubble(t, projection.Options{}, func(s *subject, p *projection.Projector) {
		kind := fault.DatastoreUnreachable
		s.fail.Store(&kind)
		s.assign("10.0.0.1", accountA)
		failed := make(chan error)
		go func() { failed <- p.Repair(s.Context(), accountA, []string{"10.0.0.1"}) }()
		time.Sleep(time.Second)
		p.Close() // would not return while a writer waits
		if err := <-failed; err == nil {
			s.Error("Repair reports success")
		}
		began := time.Now()
		p.Compare(accountA, []string{"10.0.0.1"})
		if time.Since(began) > 0 || p.Repair(s.Context(), accountA, []string{"10.0.0.1"}) == nil {
			s.Error("a closed projector takes work")
		}
	})
}
