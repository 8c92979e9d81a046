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

// writer is the one goroutine that writes. It takes all operations that wait into one transaction, so that they
// share its fsync, and answers each when that is done.
type writer struct {
	bolt  *bolt.DB
	file  *storeFile
	path  string // of the file
	queue chan *operation
	quit  chan struct{} // closed: take no more
	ended chan struct{} // closed: all answered

	lost atomic.Pointer[error] // set once the file is found to be damaged: nothing is written to it any more

	mu        sync.Mutex
	committed chan struct{} // closed and replaced by every commit
	stopped   sync.Once
}

// operation is a write. apply either refuses with an *Error, errStale or a context's error before it has changed
// anything, or fails in a way that takes the whole transaction with it.
type operation struct {
	ctx       context.Context
	apply     func(*bolt.Tx) error
	documents int // how many it writes
	err       error
	answer    chan error
}

// maxBatch is about how many documents share a transaction. bbolt keeps what it writes in sorted lists until it
// commits, so the time that one takes grows out of proportion with its size.
const maxBatch = 1000

// watchEvery is how soon a deleted file is noticed where nothing is written.
const watchEvery = time.Second

func startWriter(db *bolt.DB, f *storeFile) *writer {
	w := &writer{
		bolt:      db,
		file:      f,
		path:      db.Path(),
		queue:     make(chan *operation),
		quit:      make(chan struct{}),
		ended:     make(chan struct{}),
		committed: make(chan struct{}),
	}
	go w.run()
	return w
}

// do applies a write of so many documents and returns when it is on disk. A context that ends before its turn means
// no write; once the turn has come the answer is what became of it.
func (w *writer) do(ctx context.Context, apply func(*bolt.Tx) error, documents int) error {
	op := &operation{ctx: ctx, apply: apply, documents: documents, answer: make(chan error, 1)}
	select {
	case w.queue <- op:
		return <-op.answer
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
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
		case op := <-w.queue:
			w.commit(w.gather(op))
		case <-tick.C:
			_ = w.file.watch()
		case <-w.quit:
			return
		}
	}
}

// gather adds the operations that wait to the first one.
func (w *writer) gather(first *operation) []*operation {
	batch := []*operation{first}
	for documents := first.documents; documents < maxBatch; {
		select {
		case op := <-w.queue:
			batch = append(batch, op)
			documents += op.documents
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch. Where it fails as a whole its operations are tried one by one, so that the one to blame
// fails alone.
func (w *writer) commit(batch []*operation) {
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	w.announce()
	for _, op := range batch {
		if err != nil {
			op.err = boltError(err)
		}
		op.answer <- op.err
	}
}

func (w *writer) transact(batch []*operation) error {
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

func (w *writer) update(batch []*operation) error {
	return w.bolt.Update(func(tx *bolt.Tx) error {
		refused := 0
		for _, op := range batch {
			if op.err = op.ctx.Err(); op.err == nil {
				op.err = op.apply(tx)
			}
			if op.err != nil && !isRefusal(op.err) {
				return op.err
			}
			if op.err != nil {
				refused++
			}
		}
		if refused == len(batch) {
			return errAllRefused
		}
		return nil
	})
}

// errAllRefused spares a transaction that changed nothing its fsync.
var errAllRefused = errors.New("nothing to write")

func isRefusal(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal) || errors.Is(err, errStale) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// changed gives a channel that the next commit closes.
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
