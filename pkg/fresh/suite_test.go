package fresh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/fresh"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// Where the documents of the tests are.
const (
	db = "account/aa/bb/cc"
	id = "user"
)

// open answers a store, in which a database has a document.
func open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s := storetest.Open(t, dsn)
	if err := s.CreateDatabase(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	put(t, s, document.Document{"_id": id, "n": document.Number(0)})
	return s
}

// writer is a store, or what writes to one for others.
type writer interface {
	Put(ctx context.Context, db string, doc document.Document) (string, error)
	Update(ctx context.Context, db, id string, change func(document.Document) error) (document.Document, error)
}

func put(t testing.TB, s writer, doc document.Document) {
	t.Helper()
	if _, err := s.Put(t.Context(), db, doc); err != nil {
		t.Fatal(err)
	}
}

// set gives the document a number.
func set(t testing.TB, s writer, n int64) {
	t.Helper()
	_, err := s.Update(t.Context(), db, id, func(doc document.Document) error {
		doc["n"] = document.Number(n)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// got answers the number of the document, -1 where there is none.
func got(t testing.TB, d reader) int64 {
	t.Helper()
	doc, err := d.Get(t.Context(), db, id)
	if fault.Is(err, fault.BadIdentifier) || fault.Is(err, fault.DatastoreMissing) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	n, _ := doc.Int("n")
	return n
}

type reader interface {
	Get(ctx context.Context, db, id string) (document.Document, error)
}

// is wants the document to have a number.
func is(t testing.TB, d reader, want int64) {
	t.Helper()
	if n := got(t, d); n != want {
		t.Errorf("got %d, want %d", n, want)
	}
}

// turns waits until the document has a number, and answers since when it was asked in vain.
func turns(t testing.TB, d reader, want int64) (asked time.Time) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for last := time.Now(); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		now := time.Now()
		if got(t, d) == want {
			return last
		}
		last = now
	}
	t.Fatalf("it does not become %d", want)
	return time.Time{}
}

// counting is a store that counts what is read of it. It is away while down is set.
type counting struct {
	*store.Store
	reads, asks atomic.Int64
	down        atomic.Bool
}

var errDown = fault.Wrap(fault.DatastoreUnreachable, errors.New("down"))

func (c *counting) Get(ctx context.Context, db, id string) (document.Document, error) {
	c.reads.Add(1)
	if c.down.Load() {
		return nil, errDown
	}
	return c.Store.Get(ctx, db, id)
}

func (c *counting) Sequences(ctx context.Context, dbs []string) ([]string, error) {
	c.asks.Add(1)
	if c.down.Load() {
		return nil, errDown
	}
	return c.Store.Sequences(ctx, dbs)
}

// asked waits for some more asks to begin, so that all but the last of them have been heard.
func (c *counting) asked(t testing.TB, more int64) {
	t.Helper()
	before := c.asks.Load()
	until(t, func() bool { return c.asks.Load() >= before+more })
}

func until(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// follow has feeds followed until the test ends.
func follow(t testing.TB, d *fresh.Documents, feeds fresh.Feeds) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Follow(ctx, feeds)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// onStores runs a test with a store, and with a second process's connection to it where there can be one.
func onStores(t *testing.T, test func(t *testing.T, here, there *store.Store)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		s := open(t, "memory:")
		test(t, s, s)
	})
	t.Run("couchdb", func(t *testing.T) {
		t.Parallel()
		dsn := storetest.FreshCouch(t)
		test(t, open(t, dsn), storetest.Open(t, dsn))
	})
}
