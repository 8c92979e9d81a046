package fresh_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fresh"
	"junctor/pkg/store"
)

const second = time.Second

// TestWarm: what nobody writes to is not read again, for longer than a reading stands by itself.
func TestWarm(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, here, _ *store.Store) {
		if nodes, err := here.Replicated(t.Context(), db); err != nil {
			t.Fatal(err)
		} else if nodes {
			t.Skip("each node of a CouchDB cluster has a feed of its own, and any of them may answer")
		}
		c := &counting{Store: here}
		d := fresh.New(c, fresh.Options{Staleness: second})
		follow(t, d, c)
		deadline := time.Now().Add(20 * second)
		for quiet := time.Now(); time.Since(quiet) < 2*second; time.Sleep(time.Millisecond) {
			is(t, d, 0)
			if _, err := d.Get(t.Context(), db, "nobody"); err == nil {
				t.Fatal("there is nobody")
			}
			if c.reads.Swap(0) > 0 {
				quiet = time.Now()
			}
			if time.Now().After(deadline) {
				t.Fatal("documents are read again and again")
			}
		}
		stats := d.Stats()
		if stats.Known != 1 || stats.Absent != 1 || stats.Hits < 100 || stats.Misses < 2 || stats.Misses > 20 ||
			stats.Bytes == 0 || time.Since(stats.Followed) > 10*second {
			t.Errorf("%+v", stats)
		}
	})
}

// TestOthersWrites: what another process writes counts within a second, be documents changed, removed or made.
func TestOthersWrites(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, here, there *store.Store) {
		c := &counting{Store: here}
		d := fresh.New(c, fresh.Options{Staleness: second})
		follow(t, d, c)
		write := func(n int64) {
			doc, err := there.Get(t.Context(), db, id)
			switch {
			case n < 0:
				err = there.Delete(t.Context(), db, id, doc.Rev())
			case err != nil:
				_, err = there.Put(t.Context(), db, document.Document{"_id": id, "n": document.Number(n)})
			default:
				doc["n"] = document.Number(n)
				_, err = there.Put(t.Context(), db, doc)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		is(t, d, 0)
		for round, n := range []int64{1, 2, -1, 3} {
			if round%2 == 0 { // with documents that stand by the feed, and others that were just read
				c.asked(t, 2)
				got(t, d)
				c.asked(t, 2)
			}
			write(n)
			written := time.Now()
			if late := turns(t, d, n).Sub(written); late > second {
				t.Errorf("%d was not there %v later", n, late)
			}
		}
	})
}

// TestNewDatabase: an account that was not there is made by another process.
func TestNewDatabase(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, here, there *store.Store) {
		d := fresh.New(here, fresh.Options{Staleness: second})
		follow(t, d, here)
		const other = "account/dd/ee/ff"
		get := func() error {
			_, err := d.Get(t.Context(), other, id)
			return err
		}
		if err := get(); err == nil {
			t.Fatal("it is there already")
		}
		if err := there.CreateDatabase(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if _, err := there.Put(t.Context(), other, document.Document{"_id": id}); err != nil {
			t.Fatal(err)
		}
		made := time.Now()
		for asked := time.Now(); get() != nil; asked = time.Now() {
			time.Sleep(time.Millisecond)
			if asked.Sub(made) > second {
				t.Fatal("it is not there a second later")
			}
		}
	})
}

// steps are feeds that do something before they are asked.
type steps struct {
	fresh.Feeds
	before atomic.Pointer[func()]
}

func (s *steps) Sequences(ctx context.Context, dbs []string) ([]string, error) {
	if before := s.before.Swap(nil); before != nil {
		(*before)()
	}
	return s.Feeds.Sequences(ctx, dbs)
}

// TestReadWhileAsked: a reading says nothing of a head that was asked for before it, and told after.
func TestReadWhileAsked(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	d, feeds := fresh.New(s, fresh.Options{Staleness: second}), &steps{Feeds: s}
	is(t, d, 0) // the database is in use from now on
	done := make(chan struct{})
	before := func() {
		d.Forget(db, id)
		is(t, d, 0)
		set(t, s, 1)
		close(done)
	}
	feeds.before.Store(&before)
	follow(t, d, feeds)
	<-done
	written := time.Now()
	if late := turns(t, d, 1).Sub(written); late > second {
		t.Errorf("it was not there %v later", late)
	}
}

// TestCutFeed: while a store does not tell of its feeds, documents are no older than they may be; while it answers
// nothing at all, nothing older is answered either.
func TestCutFeed(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	reads, feeds := &counting{Store: s}, &counting{Store: s}
	const allowed = 300 * time.Millisecond
	d := fresh.New(reads, fresh.Options{Staleness: allowed})
	follow(t, d, feeds)
	is(t, d, 0)
	feeds.asked(t, 3)
	feeds.down.Store(true)
	feeds.asked(t, 2)
	cut := time.Now()
	for n := int64(1); n <= 3; n++ {
		set(t, s, n)
		written := time.Now()
		if late := turns(t, d, n).Sub(written); late > allowed {
			t.Errorf("%d was not there %v later", n, late)
		}
	}
	if followed := d.Stats().Followed; followed.After(cut) {
		t.Error("the feeds count as followed")
	}
	reads.down.Store(true)
	down := time.Now()
	for {
		asked := time.Now()
		if _, err := d.Get(t.Context(), db, id); err != nil {
			break
		}
		if asked.Sub(down) > allowed {
			t.Fatal("a document outlives the store")
		}
	}
	reads.down.Store(false)
	feeds.down.Store(false)
	is(t, d, 3)
	until(t, func() bool { return d.Stats().Followed.After(down) })
}

// asking takes down which databases were asked for.
type asking struct {
	fresh.Feeds
	most  atomic.Int64 // at a time
	names atomic.Pointer[[]string]
}

func (a *asking) Sequences(ctx context.Context, dbs []string) ([]string, error) {
	a.most.Store(max(a.most.Load(), int64(len(dbs))))
	names := slices.Clone(dbs)
	if known := a.names.Load(); known != nil {
		names = append(names, *known...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	a.names.Store(&names)
	return a.Feeds.Sequences(ctx, dbs)
}

// TestManyDatabases: so many are followed and no more, some at a time; the others' documents are as fresh.
func TestManyDatabases(t *testing.T) {
	t.Parallel()
	const databases = fresh.MaxDatabases + 10
	s := open(t, "memory:")
	d, feeds := fresh.New(s, fresh.Options{Staleness: second}), &asking{Feeds: s}
	name := func(i int) string { return fmt.Sprintf("account/00/00/%d", i) }
	for i := range databases {
		if err := s.CreateDatabase(t.Context(), name(i)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), name(i), document.Document{"_id": id}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Get(t.Context(), name(i), id); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Get(t.Context(), fmt.Sprintf("missing/%d", i), id); err == nil {
			t.Fatal("there is no such database")
		}
	}
	began := time.Now()
	follow(t, d, feeds)
	until(t, func() bool { return d.Stats().Followed.After(began) })
	if names := *feeds.names.Load(); len(names) != fresh.MaxDatabases || feeds.most.Load() > 100 {
		t.Errorf("%d databases are followed, %d at a time", len(names), feeds.most.Load())
	}
	for _, i := range []int{0, databases - 1} {
		_, err := s.Update(t.Context(), name(i), id, func(doc document.Document) error {
			doc["n"] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		written := time.Now()
		for asked := time.Now(); ; asked = time.Now() {
			doc, err := d.Get(t.Context(), name(i), id)
			if err == nil && doc.Bool("n") {
				break
			}
			if err != nil || asked.Sub(written) > second {
				t.Fatalf("database %d: %v, %v", i, doc, err)
			}
		}
	}
}

// TestBusyDatabase: a database that is written to all the time is hardly asked about, and its documents are as fresh.
// A quiet one is asked about as ever. The busy one is warm again once it is quiet.
func TestBusyDatabase(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	const quiet, allowed = "account/ee/ee/ee", 100 * time.Millisecond
	if err := s.CreateDatabase(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), quiet, document.Document{"_id": id}); err != nil {
		t.Fatal(err)
	}
	reads, feeds := &counting{Store: s}, &tally{Feeds: s, asks: map[string]int{}}
	d := fresh.New(reads, fresh.Options{Staleness: allowed})
	is(t, d, 0)
	follow(t, d, feeds)
	written := []time.Time{time.Now()}
	for n := int64(1); feeds.of(quiet) < 40; n++ {
		set(t, s, n)
		written = append(written, time.Now())
		asked := time.Now()
		if known := got(t, d); known < n && asked.Sub(written[known+1]) > allowed {
			t.Errorf("%d is what it was %v ago", known, asked.Sub(written[known+1]))
		}
		if _, err := d.Get(t.Context(), quiet, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(allowed / 20)
	}
	if asks := feeds.of(db); asks > 15 {
		t.Errorf("asked %d times about the busy database, %d about the quiet one", asks, feeds.of(quiet))
	}
	until(t, func() bool {
		reads.reads.Store(0)
		for began := time.Now(); time.Since(began) < 4*allowed; time.Sleep(time.Millisecond) {
			if _, err := d.Get(t.Context(), db, id); err != nil {
				t.Fatal(err)
			}
		}
		return reads.reads.Load() == 0
	})
}

// tally counts how often each database was asked about.
type tally struct {
	fresh.Feeds
	mu   sync.Mutex
	asks map[string]int
}

func (f *tally) Sequences(ctx context.Context, dbs []string) ([]string, error) {
	f.mu.Lock()
	for _, name := range dbs {
		f.asks[name]++
	}
	f.mu.Unlock()
	return f.Feeds.Sequences(ctx, dbs)
}

func (f *tally) of(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asks[name]
}

// TestIdle: databases that nobody uses any more are not asked about.
func TestIdle(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	d, feeds := fresh.New(s, fresh.Options{Staleness: second}), &asking{Feeds: s}
	is(t, d, 0)
	d.Age(50 * second)
	is(t, d, 0) // is a use
	d.Age(50 * second)
	follow(t, d, feeds)
	until(t, func() bool { return feeds.names.Load() != nil })
	d.Age(2 * time.Minute)
	for range 2 { // what was asked for before is over then
		feeds.names.Store(nil)
		began := time.Now()
		until(t, func() bool { return d.Stats().Followed.After(began) })
	}
	if names := feeds.names.Load(); names != nil {
		t.Errorf("asked about %q", *names)
	}
	set(t, s, 1)
	turns(t, d, 1)
	until(t, func() bool { return feeds.names.Load() != nil })
}
