// Package notify publishes changes of dedicated IPs to the RabbitMQ of a Kazoo cluster, in the messages that Kazoo
// itself publishes (kzs_publish), so that its nodes drop what they have cached of them.
//
// Wrap decorates the store that the pool writes to; the rules know nothing of this package. Invariants:
//
//   - A write waits for neither the broker nor a sync of this package, and no failure here fails it.
//   - After every write to a document the broker confirms at least one notice of it, which some queue took.
//   - The notices of one document are sent in the order of its revisions.
//
// There is one queue in memory and one goroutine, Run, which sends what is queued. Two paths lead into the queue. A
// write that succeeded queues its own notices (queue.go). A replay (replay.go) queues everything that was written since
// the checkpoint (checkpoint.go), as it is then. It is made after a crash, after a stop with unsent notices, after an
// outage of the broker in which the queue became full, and after a write whose outcome is not known. Receivers only
// drop caches, so of several revisions the last is enough then.
//
// What is lost: after a power cut, that an account gave an address back in the last half minute before it; a write that
// lands later than it is waited for; and what Stats counts as dropped.
//
// The package knows neither HTTP nor the rules of dedicated IPs, and with brokertest it is the only importer of
// amqp091.
package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
)

// Options configures a Publisher.
type Options struct {
	// URL is the broker's, amqp(s)://USER:PASSWORD@HOST:PORT/VHOST. See CheckURL.
	URL string
	// Dir is the folder of the checkpoint. It is created if it is missing.
	Dir string
	// Node names this process to receivers. It must not be the name of an Erlang node of the cluster: Kazoo
	// ignores what it takes for its own notices.
	Node string
	// Log is for the operator.
	Log zerolog.Logger
}

// Source is what a replay reads. It is the store itself.
type Source interface {
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
	ChangesSince(ctx context.Context, db, since string, each func(store.Change) error) error
	Position(ctx context.Context, db string) (seq, epoch string, err error)
}

// limits are the bounds of a Publisher. Tests have smaller ones.
type limits struct {
	queue int           // notices in memory, of up to 1 KiB
	noted int           // copies in the checkpoint
	every time.Duration // between two checkpoints
	late  time.Duration // how long a write of unknown outcome is waited for, once the store can be read
	bind  time.Duration // how long notices are sent again that no queue takes
	pause time.Duration // the longest between two attempts at anything
	grace time.Duration // how long Run goes on sending after its context has ended
}

var defaults = limits{
	queue: 30_000, noted: 100_000,
	every: 5 * time.Second, late: time.Minute, bind: 5 * time.Minute, pause: 10 * time.Second, grace: 2 * time.Second,
}

// Publisher publishes notices. It is safe for concurrent use.
type Publisher struct {
	options Options
	limits  limits
	source  Source
	unlock  func() error
	wake    chan struct{} // there may be something to send or to replay

	mu       sync.Mutex
	begun    int       // writes of documents that have begun
	inFlight int       // those that have not ended
	queue    []*notice // in the order to send; the first may be being sent
	queued   *simplelru.LRU[subject, mark]
	unbound  time.Time // since when no queue takes some notices; zero if all are taken
	checkpoint
	replay

	connected          atomic.Bool
	confirmed, dropped uint64
}

// queuedSize is far more than how many documents are written in the time of one write.
const queuedSize = 8192

// Open opens the checkpoint in the state folder. A folder that another process uses is an error. The broker and the
// store need not be there. s is the store without this package's notices.
func Open(o Options, s Source) (*Publisher, error) { return open(o, s, defaults) }

func open(o Options, s Source, l limits) (*Publisher, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, fmt.Errorf("the broker's URL: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	unlock, err := statefile.LockFolder(o.Dir)
	if errors.Is(err, statefile.ErrLocked) {
		return nil, errors.New(o.Dir + " is in use by another junctor: give each server a --state-dir of its own")
	}
	if err != nil {
		return nil, err
	}
	queued, _ := simplelru.NewLRU[subject, mark](queuedSize, nil) // the size is positive
	p := &Publisher{
		options: o, limits: l, source: s, unlock: unlock, queued: queued, wake: make(chan struct{}, 1),
		checkpoint: checkpoint{path: filepath.Join(o.Dir, CheckpointFile), since: everything, noted: map[subject]bool{}},
	}
	if err := p.openCheckpoint(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", p.path, err), unlock())
	}
	return p, nil
}

// Close closes the checkpoint, after Run has returned and no write is in flight. What is unsent is published by the
// next process.
func (p *Publisher) Close() error {
	return errors.Join(p.closeCheckpoint(), p.unlock())
}

// Stats describes a Publisher, for metrics.
type Stats struct {
	Waiting   int           // notices that are not confirmed yet
	Oldest    time.Duration // how long the next of them has waited
	Connected bool          // whether there is a connection to the broker
	Confirmed uint64        // notices the broker has confirmed, since the start
	Dropped   uint64        // notices that were given up, since the start
}

// Stats returns the present state.
func (p *Publisher) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Waiting: len(p.queue), Connected: p.connected.Load(), Confirmed: p.confirmed, Dropped: p.dropped}
	if len(p.queue) > 0 {
		s.Oldest = time.Since(p.queue[0].at)
	}
	return s
}

// idle reports whether nothing is outstanding. p.mu is held.
func (p *Publisher) idle() bool { return p.inFlight == 0 && len(p.queue) == 0 && p.due.IsZero() }

// signal has Run look for something to do.
func (p *Publisher) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
