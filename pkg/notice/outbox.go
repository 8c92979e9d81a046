// Package notice tells a Kazoo cluster about writes to its documents, as Kazoo itself does: by messages on the
// exchange "configuration" of its RabbitMQ, so that caches let go of what has changed.
//
// Wrap decorates the store of the dedicated IPs; the rules know nothing of it. The broker is never part of a
// request: that a document is about to be written is noted in a file before the write, completed with the
// revision after it, and sent in the background, with confirmation. What a crash leaves without an outcome is
// settled by looking at the document. A notice goes out at least once, and twice only where the connection broke
// before the broker had confirmed it; the notices of one document go out in the order of its revisions.
//
// The package knows neither HTTP nor the rules of dedicated IPs, and with brokertest it is the only importer of
// amqp091.
package notice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"
)

// Options says where notices go.
type Options struct {
	// URL is the broker's, amqp(s)://USER:PASSWORD@HOST:PORT/VHOST. See CheckURL.
	URL string
	// Dir is the folder of the file that holds the notices that wait, made where it is missing.
	Dir string
	// Node names this process to receivers. It must not be the name of an Erlang node of the cluster: Kazoo
	// ignores what it takes for its own notices.
	Node string
	// KeepProxies leaves out the notice of a changed resource that goes with every change of an account's
	// addresses, which Kazoo itself does not send. Without it calls use the old proxies for up to an hour.
	KeepProxies bool
	// Log gets what the operator should know.
	Log zerolog.Logger
}

// Stats is a look at an Outbox, for metrics.
type Stats struct {
	Waiting   int    // notices that are not confirmed yet
	Connected bool   // whether the broker is there
	Confirmed uint64 // notices the broker has taken, since the start
	Dropped   uint64 // notices that were given up, since the start
}

// Outbox holds notices until the broker has confirmed them. It is safe for concurrent use.
type Outbox struct {
	options Options
	queue   *queue
	wake    chan struct{} // there may be something to send
	doubt   chan struct{} // there may be something to settle
	noting  sync.WaitGroup

	mu     sync.Mutex
	opened map[uint64]bool // notes whose documents are being written by this process

	unerased  []entry // confirmed and still in the file; the sender's
	connected atomic.Bool
	confirmed atomic.Uint64
	dropped   atomic.Uint64
}

const fileName = "notices.db"

// CheckURL says what is wrong with the URL of a broker, without repeating it: there may be a password in it.
func CheckURL(url string) error {
	if _, err := amqp.ParseURI(url); err != nil {
		return errors.New("not amqp(s)://USER:PASSWORD@HOST:PORT/VHOST")
	}
	return nil
}

// Open opens the file of notices, with what an earlier process left in it. A file that another process has open
// is an error. The broker need not be there.
func Open(o Options) (*Outbox, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, fmt.Errorf("the broker's URL: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	q, err := openQueue(filepath.Join(o.Dir, fileName))
	if err != nil {
		return nil, err
	}
	return &Outbox{
		options: o,
		queue:   q,
		wake:    make(chan struct{}, 1),
		doubt:   make(chan struct{}, 1),
		opened:  map[uint64]bool{},
	}, nil
}

// Close closes the file, after Run has ended and no write is under way. What waits stays in it.
func (o *Outbox) Close() error {
	o.noting.Wait()
	return o.queue.close()
}

// Stats answers how things are.
func (o *Outbox) Stats() Stats {
	return Stats{
		Waiting:   o.queue.length(),
		Connected: o.connected.Load(),
		Confirmed: o.confirmed.Load(),
		Dropped:   o.dropped.Load(),
	}
}

// ring makes whoever listens look, now or when it next does.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
