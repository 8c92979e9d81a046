package doccache_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/doccache"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

const (
	db        = "accounts"
	id        = "a"
	staleness = 5 * time.Second
)

// storeCalls is a store whose reads are counted, and can be made to fail or to wait.
type storeCalls struct {
	*store.Store
	reads atomic.Int64
	down  atomic.Bool
	hold  atomic.Pointer[chan struct{}]
}

func (s *storeCalls) Get(ctx context.Context, db, id string) (document.Document, error) {
	s.reads.Add(1)
	if s.down.Load() {
		return nil, fault.New(fault.DatastoreUnreachable, "")
	}
	doc, err := s.Store.Get(ctx, db, id)
	if hold := s.hold.Load(); hold != nil {
		select {
		case <-*hold:
		case <-ctx.Done():
			return nil, fault.Wrap(fault.DatastoreUnreachable, ctx.Err())
		}
	}
	return doc, err
}

// inBubble runs a test on an embedded store and a cache of it, in time that passes only while all wait.
func inBubble(t *testing.T, o doccache.Options, test func(t *testing.T, s *storeCalls, c *doccache.Cache)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opened, err := store.Open("memory:", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := &storeCalls{Store: opened}
		c := doccache.New(s, o)
		defer func() {
			c.Close()
			if err := opened.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := s.CreateDatabase(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		set(t, s.Store, id, "1")
		test(t, s, c)
	})
}

type updater interface {
	Update(context.Context, string, string, func(document.Document) error) (document.Document, error)
}

func set(t *testing.T, s updater, id, value string) {
	t.Helper()
	_, err := s.Update(t.Context(), db, id, func(doc document.Document) error {
		doc["value"] = value
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, c *doccache.Cache) string {
	t.Helper()
	doc, err := c.Get(t.Context(), db, id)
	if err != nil {
		t.Fatal(err)
	}
	return doc.String("value")
}

func TestDocumentsAreReadOnceUntilTheyAreStale(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		for range 10 {
			if got := get(t, c); got != "1" {
				t.Fatalf("got %q", got)
			}
			if _, err := c.Get(t.Context(), db, "missing"); !fault.Is(err, fault.BadIdentifier) {
				t.Fatalf("missing document: %v", err)
			}
			if _, err := c.Get(t.Context(), "missing", id); !fault.Is(err, fault.DatastoreMissing) {
				t.Fatalf("missing database: %v", err)
			}
		}
		if n := s.reads.Load(); n != 3 {
			t.Errorf("%d reads of three documents", n)
		}
		synctest.Wait()
		if c.Bytes() == 0 {
			t.Error("the cache takes no memory")
		}
		set(t, s.Store, id, "2") // by another process
		time.Sleep(staleness)
		if got := get(t, c); got != "2" {
			t.Errorf("got %q after %v", got, staleness)
		}
	})
}

func TestADocumentInUseIsRefreshedBeforeItIsStale(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		get(t, c)
		time.Sleep(staleness*3/4 + 1)
		get(t, c) // starts the refresh
		synctest.Wait()
		s.down.Store(true)
		time.Sleep(staleness - 1) // more than the first read could have served
		if got := get(t, c); got != "1" {
			t.Errorf("got %q", got)
		}
		time.Sleep(time.Nanosecond)
		if _, err := c.Get(t.Context(), db, id); !fault.Is(err, fault.DatastoreUnreachable) {
			t.Errorf("a document older than %v: %v", staleness, err)
		}
		s.down.Store(false)
		if got := get(t, c); got != "1" {
			t.Errorf("got %q", got)
		}
	})
}

func TestOwnWritesCountAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		w := c.Writer(s.Store)
		is := func(want string) {
			t.Helper()
			if got := get(t, c); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		is("1")
		set(t, w, id, "2")
		is("2")
		doc, err := s.Store.Get(t.Context(), db, id)
		if err != nil {
			t.Fatal(err)
		}
		doc["value"] = "3"
		rev, err := w.Put(t.Context(), db, doc)
		if err != nil {
			t.Fatal(err)
		}
		is("3")
		doc["_rev"], doc["value"] = rev, "4"
		if _, err := w.PutMany(t.Context(), db, []document.Document{doc}); err != nil {
			t.Fatal(err)
		}
		is("4")
		if doc, err = s.Store.Get(t.Context(), db, id); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(t.Context(), db, id, doc.Rev()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(t.Context(), db, id); !fault.Is(err, fault.BadIdentifier) {
			t.Errorf("after Delete: %v", err)
		}
	})
}

func TestAnUpdateThatChangesNothingKeepsTheDocument(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		get(t, c)
		set(t, s.Store, "uncached", "1")
		v := c.ReadSet().Validity()
		for _, id := range []string{id, "uncached"} {
			_, err := c.Writer(s.Store).Update(t.Context(), db, id, func(document.Document) error { return store.ErrUnchanged })
			if err != nil || !c.Valid(v) {
				t.Errorf("%s: decision dropped, %v", id, err)
			}
		}
		if get(t, c); s.reads.Load() != 1 {
			t.Error("the document was read again")
		}
	})
}

// beginRead begins a read of the document, which has got the present one but does not end before hold is closed. Reads
// that begin later are not held.
func beginRead(t *testing.T, s *storeCalls, c *doccache.Cache) (got <-chan string, hold chan<- struct{}) {
	held, value := make(chan struct{}), make(chan string)
	s.hold.Store(&held)
	go func() { value <- get(t, c) }()
	synctest.Wait()
	s.hold.Store(nil)
	return value, held
}

func TestTheAgeOfADocumentCountsFromTheBeginningOfItsRead(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		got, hold := beginRead(t, s, c)
		set(t, s.Store, id, "2") // by another process
		time.Sleep(staleness - 1)
		close(hold)
		if value := <-got; value != "1" {
			t.Errorf("got %q", value)
		}
		time.Sleep(time.Nanosecond)
		if value := get(t, c); value != "2" {
			t.Errorf("got %q", value)
		}
	})
}

func TestAReadUnderWayDoesNotUndoAWrite(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		got, hold := beginRead(t, s, c)
		set(t, c.Writer(s.Store), id, "2")
		close(hold)
		if value := <-got; value != "2" {
			t.Errorf("got %q", value)
		}
		if value := get(t, c); value != "2" {
			t.Errorf("cached %q", value)
		}
	})
}

func TestConcurrentCallsShareOneRead(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		hold := make(chan struct{})
		s.hold.Store(&hold)
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() { get(t, c) })
		}
		synctest.Wait()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Get(impatient, db, id); !fault.Is(err, fault.DatastoreUnreachable) {
			t.Errorf("a caller whose context ended got %v", err)
		}
		close(hold)
		calls.Wait()
		if n := s.reads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestStalenessZeroReadsAlways(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		for range 3 {
			get(t, c)
		}
		if n := s.reads.Load(); n != 3 {
			t.Errorf("%d reads", n)
		}
		if c.Valid(c.ReadSet().Validity()) {
			t.Error("a decision is cached")
		}
	})
}

func TestADecisionIsValidUntilItsOldestDocumentIsStale(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		if c.Valid(doccache.Validity{}) {
			t.Error("the zero Validity is valid")
		}
		get(t, c)
		time.Sleep(time.Second)
		r := c.ReadSet()
		for _, id := range []string{id, "missing"} {
			_, _ = r.Get(t.Context(), db, id)
		}
		time.Sleep(staleness/2 - time.Second - 1)
		if c.Due(r.Validity()) {
			t.Error("the decision is to be made again too early")
		}
		time.Sleep(time.Nanosecond)
		if !c.Due(r.Validity()) {
			t.Error("the decision is not to be made again")
		}
		time.Sleep(staleness/2 - 1)
		if !c.Valid(r.Validity()) {
			t.Error("the decision is over too early")
		}
		time.Sleep(time.Nanosecond)
		if c.Valid(r.Validity()) {
			t.Error("the decision outlives a document")
		}
		r = c.ReadSet()
		_, _ = r.Get(t.Context(), db, id)
		set(t, c.Writer(s.Store), "other", "1")
		if c.Valid(r.Validity()) {
			t.Error("the decision outlives a write of this process")
		}
	})
}

func TestARefusalIsDecidedOnceMoreAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		refuse := func(values ...string) {
			t.Helper()
			var seen []string
			_, err := doccache.Decide(t.Context(), c, fault.Unauthenticated, func(r *doccache.ReadSet) (string, error) {
				doc, err := r.Get(t.Context(), db, id)
				if err != nil {
					t.Fatal(err)
				}
				seen = append(seen, doc.String("value"))
				return "", fault.New(fault.Unauthenticated, "")
			})
			if !fault.Is(err, fault.Unauthenticated) || !slices.Equal(seen, values) {
				t.Errorf("decided by %q, want %q: %v", seen, values, err)
			}
		}
		refuse("1") // it has just been read
		time.Sleep(time.Millisecond)
		set(t, s.Store, id, "2") // by another process
		refuse("1", "2")
		time.Sleep(time.Millisecond)
		set(t, s.Store, id, "3")
		refuse("2")
		time.Sleep(time.Second)
		refuse("2", "3")
		refuse("3")
		if n := s.reads.Load(); n != 3 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestARefusalIsDecidedOnceMoreIfItsDocumentWasRefreshedMeanwhile(t *testing.T) {
	t.Parallel()
	inBubble(t, doccache.Options{Staleness: staleness}, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		get(t, c)
		set(t, s.Store, id, "2") // by another process
		time.Sleep(staleness*3/4 + 1)
		got, err := doccache.Decide(t.Context(), c, fault.Unauthenticated, func(r *doccache.ReadSet) (string, error) {
			doc, err := r.Get(t.Context(), db, id) // starts a refresh
			synctest.Wait()
			if err == nil && doc.String("value") == "1" {
				err = fault.New(fault.Unauthenticated, "")
			}
			return doc.String("value"), err
		})
		if err != nil || got != "2" {
			t.Errorf("decided by %q: %v", got, err)
		}
		if n := s.reads.Load(); n != 2 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const bound = 1 << 20
	o := doccache.Options{Staleness: time.Hour, Bytes: bound}
	inBubble(t, o, func(t *testing.T, s *storeCalls, c *doccache.Cache) {
		large := strings.Repeat("x", 10_000)
		for i := range 300 {
			id := fmt.Sprint(i)
			if i < 200 {
				set(t, s.Store, id, large)
			}
			_, _ = c.Get(t.Context(), db, id)
			_, _ = c.Get(t.Context(), db, "missing"+id)
		}
		synctest.Wait()
		if held := c.Bytes(); held > bound || held < bound/2 {
			t.Errorf("%d bytes are cached, the bound is %d", held, bound)
		}
	})
}
