package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
)

func testWriter(t *testing.T) *writer {
	t.Helper()
	db, _, err := openFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := prepareFile(db, zerolog.Nop(), false); err != nil {
		t.Fatal(err)
	}
	w := startWriter(db, &storeFile{})
	t.Cleanup(func() {
		w.stop()
		_ = db.Close()
	})
	return w
}

func putMeta(key string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return tx.Bucket(metaBucket).Put([]byte(key), []byte("1")) }
}

func hasMeta(t *testing.T, w *writer, key string) (has bool) {
	t.Helper()
	_ = w.bolt.View(func(tx *bolt.Tx) error {
		has = tx.Bucket(metaBucket).Get([]byte(key)) != nil
		return nil
	})
	return has
}

// hold keeps the writer busy until release is called, so that operations gather behind it.
func hold(t *testing.T, w *writer) (release func()) {
	t.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	go func() {
		_ = w.do(context.Background(), func(*bolt.Tx) error {
			close(busy)
			<-free
			return nil
		}, 1)
	}()
	<-busy
	return func() { close(free) }
}

func TestWritesShareATransaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := testWriter(t)
		release := hold(t, w)
		const n = 40
		transactions := make(map[int]int)
		var ended sync.WaitGroup
		for i := range n {
			ended.Go(func() {
				err := w.do(context.Background(), func(tx *bolt.Tx) error {
					transactions[tx.ID()]++ // the writer is one goroutine
					return putMeta(fmt.Sprint(i))(tx)
				}, 1)
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // all wait for the writer
		release()
		ended.Wait()
		if len(transactions) != 1 {
			t.Errorf("%d writes took %d transactions", n, len(transactions))
		}
		for i := range n {
			if !hasMeta(t, w, fmt.Sprint(i)) {
				t.Errorf("write %d is lost", i)
			}
		}
	})
}

// TestLargeWritesShareLess: a transaction has about maxBatch documents, however many operations wait.
func TestLargeWritesShareLess(t *testing.T) {
	t.Parallel()
	w := &writer{queue: make(chan *write, 10)}
	for range cap(w.queue) {
		w.queue <- &write{documents: maxBatch/2 - 1}
	}
	if got := len(w.gather(<-w.queue)); got != 3 {
		t.Errorf("%d operations in a batch, want 3", got)
	}
}

// TestFailureIsOnesOwn commits three operations together, of which one is refused and one breaks the transaction.
func TestFailureIsOnesOwn(t *testing.T) {
	t.Parallel()
	w := testWriter(t)
	broken := errors.New("broken")
	batch := []*write{}
	for _, apply := range []func(*bolt.Tx) error{
		putMeta("a"),
		func(*bolt.Tx) error { return errConflict },
		func(tx *bolt.Tx) error { return errors.Join(putMeta("half")(tx), broken) },
		putMeta("b"),
	} {
		batch = append(batch, &write{ctx: t.Context(), apply: apply, done: make(chan error, 1)})
	}
	w.commit(batch)
	for i, want := range []error{nil, errConflict, broken, nil} {
		if err := <-batch[i].done; !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("operation %d: %v, want %v", i, err, want)
		}
	}
	if !hasMeta(t, w, "a") || !hasMeta(t, w, "b") || hasMeta(t, w, "half") {
		t.Error("the wrong operations were written")
	}
}

func TestCancelledOperation(t *testing.T) {
	t.Parallel()
	w := testWriter(t)
	release := hold(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() { waiting <- w.do(ctx, putMeta("waiting"), 1) }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting operation: %v", err)
	}
	release()
	op := &write{ctx: ctx, apply: putMeta("taken"), done: make(chan error, 1)}
	w.commit([]*write{op})
	if err := <-op.done; !errors.Is(err, context.Canceled) {
		t.Errorf("operation already taken: %v", err)
	}
	if hasMeta(t, w, "waiting") || hasMeta(t, w, "taken") {
		t.Error("a cancelled operation was written")
	}
}
