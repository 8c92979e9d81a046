package embedded

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
)

// writer is the one goroutine that writes. It commits all writes that wait in one transaction, so that they share its
// fsync.
type writer struct {
	bolt  *bolt.DB
	file  *storeFile
	path  string // of the file
	queue chan *write
	quit  chan struct{} // closed to stop run
	ended chan struct{} // closed when run has returned

	lost atomic.Pointer[error] // set once the file is found to be damaged: nothing is written to it any more

	mu        sync.Mutex
	committed chan struct{} // closed and replaced by every commit
	stopped   sync.Once
}

// write is one write. apply returns an *Error, errAllRefused or a context's error only if it has changed nothing. Any
// other error fails the whole transaction.
type write struct {
	ctx       context.Context
	apply     func(*bolt.Tx) error
	documents int // how many it writes
	err       error
	done      chan error
}

// maxBatch is about how many documents share a transaction. bbolt holds what it writes in sorted lists until it
// commits, so the time of a transaction grows faster than its size.
const maxBatch = 1000

// watchEvery is how soon a deleted file is noticed if nothing is written.
const watchEvery = time.Second

func startWriter(db *bolt.DB, f *storeFile) *writer {
	w := &writer{
		bolt:      db,
		file:      f,
		path:      db.Path(),
		queue:     make(chan *write),
		quit:      make(chan struct{}),
		ended:     make(chan struct{}),
		committed: make(chan struct{}),
	}
	go w.run()
	return w
}

// do applies a write of that many documents and returns when it is on disk. If the context ends before its turn nothing
// is written; after that do returns the result of the write.
func (w *writer) do(ctx context.Context, apply func(*bolt.Tx) error, documents int) error {
	next := &write{ctx: ctx, apply: apply, documents: documents, done: make(chan error, 1)}
	select {
	case w.queue <- next:
		return <-next.done
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) stop() {
	w.stopped.Do(func() { close(w.quit) })
	<-w.ended
}

func (w *writer) run() {
	defer close(w.ended)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case first := <-w.queue:
			w.commit(w.gather(first))
		case <-tick.C:
			_ = w.file.watch()
		case <-w.quit:
			return
		}
	}
}

// gather returns the first write with those that wait behind it.
func (w *writer) gather(first *write) []*write {
	batch := []*write{first}
	for documents := first.documents; documents < maxBatch; {
		select {
		case next := <-w.queue:
			batch = append(batch, next)
			documents += next.documents
		default:
			return batch
		}
	}
	return batch
}

// commit commits a batch. If that fails as a whole it commits the writes one by one, so that only the one at fault fails.
func (w *writer) commit(batch []*write) {
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	w.announce()
	for _, one := range batch {
		if err != nil {
			one.err = err
		}
		one.done <- one.err
	}
}

func (w *writer) transact(batch []*write) error {
	if lost := w.lost.Load(); lost != nil {
		return *lost
	}
	if err := w.file.watch(); err != nil {
		return err
	}
	err := boltfile.Guard(w.path, func() error { return w.update(batch) })
	if errors.Is(err, boltfile.ErrDamaged) {
		w.lost.Store(&err)
	}
	if errors.Is(err, errAllRefused) {
		return nil
	}
	return err
}

func (w *writer) update(batch []*write) error {
	return w.bolt.Update(func(tx *bolt.Tx) error {
		refused := 0
		for _, one := range batch {
			if one.err = one.ctx.Err(); one.err == nil {
				one.err = one.apply(tx)
			}
			if one.err != nil && !isRefusal(one.err) {
				return one.err
			}
			if one.err != nil {
				refused++
			}
		}
		if refused == len(batch) {
			return errAllRefused
		}
		return nil
	})
}

// errAllRefused rolls a transaction back that changed nothing, which spares its fsync.
var errAllRefused = errors.New("nothing to write")

func isRefusal(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal) || errors.Is(err, errAllRefused) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// changed returns a channel that the next commit closes.
func (w *writer) changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.committed
}

func (w *writer) announce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.committed)
	w.committed = make(chan struct{})
}
