package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/notify/brokertest"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// patience bounds every wait for something that should happen.
const patience = testutil.Patience

const (
	accountA = "20d27928305e257782655b7896c79f14"
	accountB = "3a583234b29d88662d41c309f3dfa1e1"
)

// unreachable is the URL of a broker that is not there.
const unreachable = "amqp://guest:guest@127.0.0.1:1/"

// shared is one broker for all tests of this process that need one. They run one after the other.
var shared = sync.OnceValues(func() (*brokertest.Broker, error) {
	b, err := brokertest.Start()
	started.Store(b)
	return b, err
})

var started atomic.Pointer[brokertest.Broker]

func TestMain(m *testing.M) {
	if victim := os.Getenv(victimVariable); victim != "" {
		os.Exit(beVictim(victim))
	}
	code := m.Run()
	if b := started.Load(); b != nil {
		b.Close()
	}
	os.Exit(code)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openStore returns a store with the databases that notices are about.
func openStore(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	ok(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ok(t, prepare(t.Context(), s))
	return s
}

func prepare(ctx context.Context, s *store.Store) error {
	if err := pooldb.Install(ctx, s); err != nil {
		return err
	}
	for _, id := range []string{accountA, accountB} {
		if err := s.CreateDatabase(ctx, accountDB(id)); err != nil {
			return err
		}
	}
	return nil
}

func accountDB(id string) string {
	db, _ := account.Database(id)
	return db
}

func options(t testing.TB, url string) Options {
	return Options{URL: url, Dir: t.TempDir(), Node: "junctor@" + t.Name(), Log: zerolog.Nop()}
}

// quick are limits for tests that wait for a replay, a checkpoint or another attempt.
var quick = limits{
	queue: 30_000, noted: 100_000, every: 50 * time.Millisecond, late: 300 * time.Millisecond, bind: patience,
	pause: 200 * time.Millisecond, grace: patience,
}

// openPublisher opens a publisher that is closed with t.
func openPublisher(t testing.TB, o Options, s Source, l limits) *Publisher {
	t.Helper()
	p, err := open(o, s, l)
	ok(t, err)
	t.Cleanup(func() { ok(t, p.Close()) })
	return p
}

// run runs a publisher until stop is called or t ends.
func run(t testing.TB, p *Publisher) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// start opens and runs a publisher, and returns s with its notices.
func start(t testing.TB, url string, s *store.Store, l limits) (*Publisher, *Store) {
	t.Helper()
	p := openPublisher(t, options(t, url), s, l)
	run(t, p)
	return p, Wrap(s, p)
}

// newPool returns a pool on s and its clock.
func newPool(t testing.TB, s dedicatedip.Store) (*dedicatedip.Pool, *atomic.Int64) {
	t.Helper()
	clock := &atomic.Int64{}
	now := func() time.Time { return kazoo.FromGregorian(clock.Load()) }
	return dedicatedip.New(s, dedicatedip.Options{Now: now}), clock
}

// idle waits until all notices are confirmed and nothing is left to replay.
func idle(t testing.TB, p *Publisher) {
	t.Helper()
	testutil.Eventually(t, "nothing is outstanding", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.idle()
	})
}

// heard is a message as a receiver gets it.
type heard struct {
	Exchange string         `json:"exchange"`
	Key      string         `json:"key"`
	Payload  map[string]any `json:"payload"`

	delivery amqp.Delivery
}

func (h heard) text(field string) string {
	s, _ := h.Payload[field].(string)
	return s
}

// listener is a queue that gets everything on the exchange. It passes on what the test's own nodes sent, so that tests
// can share a broker at the same time.
type listener struct {
	testing.TB
	deliveries <-chan amqp.Delivery
}

func listen(t testing.TB, b *brokertest.Broker) *listener {
	t.Helper()
	return &listener{t, b.Listen(t)}
}

// next returns the next message.
func (l *listener) next() heard {
	l.Helper()
	for {
		select {
		case d := <-l.deliveries:
			if h := decode(l, d); h.text("Node") == "junctor@"+l.Name() {
				return h
			}
		case <-time.After(patience):
			l.Fatal("no message")
			return heard{}
		}
	}
}

func decode(t testing.TB, d amqp.Delivery) heard {
	t.Helper()
	h := heard{Exchange: d.Exchange, Key: d.RoutingKey, delivery: d}
	ok(t, json.Unmarshal(d.Body, &h.Payload))
	return h
}

// take returns the next messages.
func (l *listener) take(count int) []heard {
	l.Helper()
	all := make([]heard, count)
	for i := range all {
		all[i] = l.next()
	}
	return all
}

// others returns the next messages until there is a pause in which one that is sent now arrives.
func (l *listener) others(b *brokertest.Broker) (all []heard) {
	l.Helper()
	l.sendEnd(b)
	for {
		h := l.next()
		if h.Key == end {
			return all
		}
		all = append(all, h)
	}
}

// nothing checks that there is no other message.
func (l *listener) nothing(b *brokertest.Broker) {
	l.Helper()
	for _, h := range l.others(b) {
		l.Errorf("unexpected: %s %v", h.Key, h.Payload)
	}
}

const end = "the.end"

func (l *listener) sendEnd(b *brokertest.Broker) {
	l.Helper()
	c, err := amqp.Dial(brokertest.URL(b.Address()))
	ok(l, err)
	defer c.Close()
	ch, err := c.Channel()
	ok(l, err)
	ok(l, ch.PublishWithContext(l.Context(), exchange, end, false, false, amqp.Publishing{
		Body: fmt.Appendf(nil, `{"Node":"junctor@%s"}`, l.Name()),
	}))
}

// says is what a message is about, in short.
func (h heard) says() string {
	database := h.text("Database")
	if database != "dedicated_ips" {
		database = "account"
	}
	return database + " " + h.text("Type") + " " + h.text("ID") + " " + h.text("Event-Name")
}

// doc returns the document of an address.
func doc(id, rev string) document.Document {
	d := document.Document{
		"_id": id, "pvt_type": "dedicated_ip", "pvt_created": document.Number(1), "pvt_modified": document.Number(2),
	}
	if rev != "" {
		d["_rev"] = rev
	}
	return d
}

// remove writes the tombstone of a document.
func remove(ctx context.Context, s *Store, db, id, rev string) error {
	_, err := s.Put(ctx, db, document.Document{"_id": id, "_rev": rev, "_deleted": true})
	return err
}
