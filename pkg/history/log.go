package history

import (
	"context"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Store is what a Log needs of a store.
type Store interface {
	store.Writer
	store.Viewer
	ChangesSince(ctx context.Context, db, since string, each func(store.Change) error) error
	Position(ctx context.Context, db string) (seq, epoch string, err error)
	Get(ctx context.Context, db, id string) (document.Document, error)
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
	Update(ctx context.Context, db, id string, change func(document.Document) error) (document.Document, error)
	Contested(ctx context.Context, db string, ids []string) (winners map[string]document.Document, err error)
}

// Log is the history of the pool. It is safe for concurrent use, by any number of processes on one store. A nil Log
// disables the history: Trim drops changes that are in no database, and the other methods that a pool calls do nothing.
//
// Invariant: every change that a document of the pool has held is in the database, or in the document, unless it was
// pruned. Observe queues documents; Flush and Run move their changes to the database; before a document drops a change,
// Trim makes sure that the database has it. There is one exception: while the database cannot be written, a document
// holds MostHeld changes, and drops those that are older. What a process that was killed has not moved is found from the
// stored checkpoint on.
type Log struct {
	store Store
	now   func() time.Time
	log   zerolog.Logger
	known *lru.Cache[string, latest] // by address: an event that the database has, with all that went before

	moving chan struct{} // holds one element while events are moved, see exclusively

	mu     sync.Mutex
	queue  []queued // as read from the pool or written to it, in that order
	passed mark     // Observe was called for all that was written before
	moved  mark     // all changes before are in the database
	pruned *int64   // Gregorian seconds: events from before were removed; nil if that is not read yet
	behind bool     // the queue does not have all that is missing, see catchUp

	// Only Run uses these.
	stored mark // what the stored checkpoint says
	failed bool // a failure was logged, and not yet its end
}

// queued is a document in the queue.
type queued struct {
	doc document.Document
	at  time.Time // when it was queued
}

// latest is the newest known event of an address, and the generation of the document that it was found in.
type latest struct {
	Event
	generation int
}

// mark is a position in the pool's feed.
type mark struct {
	since, epoch string
	at           time.Time
}

const (
	// mostKnown bounds the addresses whose newest event is in memory.
	mostKnown = 1 << 15
	// mostQueued bounds the documents that wait. What is beyond it is found in the feed.
	mostQueued = 1 << 13
)

// New returns the history of the pool in s. now is the clock.
func New(s Store, now func() time.Time, log zerolog.Logger) *Log {
	known, _ := lru.New[string, latest](mostKnown) // fails for sizes below 1 only
	return &Log{store: s, now: now, log: log, known: known, moving: make(chan struct{}, 1)}
}

// Observe queues a document of the pool that was just written or read, or with "_deleted" a tombstone. It never blocks.
func (l *Log) Observe(doc document.Document) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= mostQueued {
		l.behind = true
		return
	}
	l.queue = append(l.queue, queued{doc, l.now()})
}

// Stats is the state of a Log.
type Stats struct {
	Waiting int           // documents whose changes are not in the database yet
	Oldest  time.Duration // how long the first of them has waited
}

// Stats returns the state of l.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Waiting: len(l.queue)}
	if s.Waiting > 0 {
		s.Oldest = l.now().Sub(l.queue[0].at)
	}
	return s
}

// Flush moves what is queued by now to the database.
func (l *Log) Flush(ctx context.Context) error {
	for waiting := l.Stats().Waiting; waiting > 0; waiting -= batchSize {
		if err := l.exclusively(ctx, l.moveQueued); err != nil {
			return err
		}
	}
	return nil
}

// moveQueued moves a part of what is queued. What could not be moved stays in the queue.
func (l *Log) moveQueued(ctx context.Context) error {
	l.mu.Lock()
	var part []document.Document
	for _, q := range l.queue[:min(len(l.queue), batchSize)] {
		part = append(part, q.doc)
	}
	l.mu.Unlock()
	if err := l.move(ctx, part, false); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.Delete(l.queue, 0, len(part))
	return nil
}

// exclusively calls move, one call at a time: the events of an address are moved in their order.
func (l *Log) exclusively(ctx context.Context, move func(context.Context) error) error {
	select {
	case l.moving <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(fault.DatastoreUnreachable, ctx.Err())
	}
	defer func() { <-l.moving }()
	return move(ctx)
}

// Trim removes the oldest changes, beyond Held, from documents that are about to be written. The database has them before.
// While it can't be written, a document holds up to MostHeld changes.
func (l *Log) Trim(ctx context.Context, docs ...document.Document) {
	var dropped []Event
	for _, doc := range docs {
		if _, excess := divide(doc, Held); len(excess) > 0 {
			dropped = append(dropped, Changes(document.Document{"_id": doc["_id"], Field: excess})...)
		}
	}
	if len(dropped) == 0 {
		return
	}
	held := Held
	if err := l.keep(ctx, dropped); err != nil {
		held = MostHeld
	}
	for _, doc := range docs {
		if left, excess := divide(doc, held); len(excess) > 0 {
			doc[Field] = left
		}
	}
}

// keepTime bounds how long a write of the pool waits for the history, whose database may hang where the pool's does not.
const keepTime = time.Second

// keep makes sure that the database has events that are about to be dropped from documents.
func (l *Log) keep(ctx context.Context, events []Event) error {
	if l == nil {
		return nil
	}
	missing := l.unknown(events)
	if len(missing) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	if err := l.Flush(ctx); err != nil { // mostly they are in the queue
		return err
	}
	pruned, err := l.prunedBefore(ctx)
	if err != nil {
		return err
	}
	missing = slices.DeleteFunc(l.unknown(missing), func(e Event) bool { return e.At < pruned })
	return l.put(ctx, missing)
}

// clockSkew is how much older than what was moved an event must be to have been moved for certain: the clocks of two
// servers differ by less.
const clockSkew = time.Hour

// unknown returns those events that the database may not have.
func (l *Log) unknown(events []Event) (unknown []Event) {
	l.mu.Lock()
	old := kazoo.Gregorian(l.moved.at.Add(-clockSkew)) // before year 1 while nothing is known
	l.mu.Unlock()
	for _, e := range events {
		newest, ok := l.known.Peek(e.IP)
		surely := e.At < old && e.Source != Elsewhere // those may be found long after they were made
		if !surely && (!ok || newest.precedes(e)) {
			unknown = append(unknown, e)
		}
	}
	return unknown
}

// precedes reports whether e is before another event of its address.
func (e Event) precedes(other Event) bool {
	if e.Number != other.Number {
		return e.Number < other.Number
	}
	return kazoo.Generation(e.revision) < kazoo.Generation(other.revision)
}

// Close moves what is left in the queue, for a process that does not Run.
func (l *Log) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := l.Flush(ctx)
	if fault.Is(err, fault.DatastoreMissing) { // nothing was ever installed
		return nil
	}
	return err
}

// closeTime bounds how long events are moved while a process ends. The next one finds what is left.
const closeTime = 3 * time.Second
