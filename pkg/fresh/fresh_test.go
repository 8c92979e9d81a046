package fresh_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/fresh"
	"junctor/pkg/store"
)

// TestZero: without leave to remember, everything is read whenever it is asked for.
func TestZero(t *testing.T) {
	t.Parallel()
	c := &counting{Store: open(t, "memory:")}
	d := fresh.New(c, fresh.Options{})
	d.Follow(t.Context(), c) // is no use
	for n := range int64(5) {
		is(t, d, n)
		set(t, c.Store, n+1)
	}
	if c.reads.Load() != 5 || c.asks.Load() != 0 {
		t.Errorf("%d reads, %d asks", c.reads.Load(), c.asks.Load())
	}
}

// TestStaleness: without a feed, a reading stands so long and not longer.
func TestStaleness(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	const allowed = 100 * time.Millisecond
	long := fresh.New(s, fresh.Options{Staleness: time.Hour})
	short := fresh.New(s, fresh.Options{Staleness: allowed})
	is(t, long, 0)
	is(t, short, 0)
	set(t, s, 1)
	written := time.Now()
	if late := turns(t, short, 1).Sub(written); late > allowed {
		t.Errorf("it was not there %v later", late)
	}
	is(t, long, 0)
}

// TestManyAtOnce: a document is read once for all who ask for it at once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := &counting{Store: open(t, "memory:")}
	d := fresh.New(c, fresh.Options{Staleness: time.Hour})
	var asking sync.WaitGroup
	for range 64 {
		asking.Go(func() {
			is(t, d, 0)
			if _, err := d.Get(t.Context(), db, "nobody"); !fault.Is(err, fault.BadIdentifier) {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if reads := c.reads.Load(); reads != 2 {
		t.Errorf("%d reads of 2 documents", reads)
	}
}

// slow is a store whose reads wait before they answer.
type slow struct {
	*store.Store
	entered, release chan struct{}
}

func (s *slow) Get(ctx context.Context, db, id string) (document.Document, error) {
	doc, err := s.Store.Get(ctx, db, id)
	s.entered <- struct{}{}
	<-s.release
	return doc, err
}

func slowly(t *testing.T) (*slow, *fresh.Documents) {
	t.Helper()
	s := &slow{Store: open(t, "memory:"), entered: make(chan struct{}, 100), release: make(chan struct{})}
	return s, fresh.New(s, fresh.Options{Staleness: time.Hour})
}

// TestWaitingEnds with the request that waits for another's reading.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	s, d := slowly(t)
	var first sync.WaitGroup
	first.Go(func() { is(t, d, 0) })
	<-s.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Get(ctx, db, id); !fault.Is(err, fault.DatastoreUnreachable) {
		t.Errorf("got %v", err)
	}
	close(s.release)
	first.Wait()
}

// TestOwnWrites count at once, whoever is reading meanwhile.
func TestOwnWrites(t *testing.T) {
	t.Parallel()
	s, d := slowly(t)
	w := d.Writing(s.Store)
	var first sync.WaitGroup
	first.Go(func() { is(t, d, 0) })
	<-s.entered // it has read, but nobody knows yet
	set(t, w, 1)
	close(s.release)
	first.Wait()
	is(t, d, 1)
	for name, c := range map[string]struct {
		write func(doc document.Document) error
		want  int64
	}{
		"put": {func(doc document.Document) error {
			_, err := w.Put(t.Context(), db, doc)
			return err
		}, 7},
		"put many": {func(doc document.Document) error {
			_, err := w.PutMany(t.Context(), db, []document.Document{doc})
			return err
		}, 7},
		"delete": {func(doc document.Document) error { return w.Delete(t.Context(), db, id, doc.Rev()) }, -1},
	} {
		doc, err := s.Store.Get(t.Context(), db, id)
		if err != nil { // deleted before
			doc = document.Document{"_id": id}
			if doc["_rev"], err = w.Put(t.Context(), db, doc); err != nil {
				t.Fatal(err)
			}
		}
		got(t, d)
		doc["n"] = document.Number(7)
		if err := c.write(doc); err != nil {
			t.Fatal(err)
		}
		if n := got(t, d); n != c.want {
			t.Errorf("%s: got %d", name, n)
		}
	}
}

// TestUnchanged: an update that has nothing to write costs no reading.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	c := &counting{Store: open(t, "memory:")}
	d := fresh.New(c, fresh.Options{Staleness: time.Hour})
	is(t, d, 0)
	w := d.Writing(c.Store)
	_, err := w.Update(t.Context(), db, id, func(document.Document) error { return store.ErrUnchanged })
	if err != nil {
		t.Fatal(err)
	}
	is(t, d, 0)
	if reads := c.reads.Load(); reads != 1 {
		t.Errorf("%d reads", reads)
	}
}

// TestOutage: a store that does not answer is not remembered.
func TestOutage(t *testing.T) {
	t.Parallel()
	c := &counting{Store: open(t, "memory:")}
	d := fresh.New(c, fresh.Options{Staleness: time.Hour})
	c.down.Store(true)
	for range 2 {
		if _, err := d.Get(t.Context(), db, id); !fault.Is(err, fault.DatastoreUnreachable) {
			t.Errorf("down: %v", err)
		}
	}
	c.down.Store(false)
	is(t, d, 0)
	c.down.Store(true)
	is(t, d, 0)
}
