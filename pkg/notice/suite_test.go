package notice

import (
	"context"
	"encoding/json"
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
	"junctor/pkg/notice/brokertest"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/schemas"
)

// patience bounds every wait for something that is to happen.
const patience = 30 * time.Second

const accountA = "20d27928305e257782655b7896c79f14"

// unreachable is a broker's where nobody listens.
const unreachable = "amqp://guest:guest@127.0.0.1:1/"

// shared is one broker for all tests of this process that need one; these run one after the other.
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

// openStore answers a store with the databases that notices are about.
func openStore(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	ok(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ok(t, prepare(t.Context(), s))
	return s
}

func prepare(ctx context.Context, s *store.Store) error {
	if err := dedicatedip.Install(ctx, s); err != nil {
		return err
	}
	for _, id := range []string{accountA, "3a583234b29d88662d41c309f3dfa1e1"} {
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
	return Options{URL: url, Dir: t.TempDir(), Node: "junctor@test", Log: zerolog.Nop()}
}

func openOutbox(t testing.TB, o Options) *Outbox {
	t.Helper()
	box, err := Open(o)
	ok(t, err)
	t.Cleanup(func() { ok(t, box.Close()) })
	return box
}

// run runs an outbox until stop, or until t ends.
func run(t testing.TB, o *Outbox, s Documents) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.Run(ctx, s)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// newPool answers a pool on s and the clock that it goes by.
func newPool(t testing.TB, s dedicatedip.Store) (*dedicatedip.Pool, *atomic.Int64) {
	t.Helper()
	set, err := schema.Load(schemas.Files)
	ok(t, err)
	clock := &atomic.Int64{}
	now := func() time.Time { return document.FromGregorian(clock.Load()) }
	return dedicatedip.New(s, set, "", now, zerolog.Nop()), clock
}

// until waits for a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// idle waits until all notices are confirmed.
func idle(t testing.TB, o *Outbox) {
	t.Helper()
	until(t, "no notice waits", func() bool {
		o.noting.Wait()
		return o.Stats().Waiting == 0
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

// listener is a queue that gets everything on the exchange.
type listener struct {
	testing.TB
	deliveries <-chan amqp.Delivery
}

func listen(t testing.TB, b *brokertest.Broker) *listener {
	t.Helper()
	return &listener{t, b.Listen(t)}
}

// next answers the next message.
func (l *listener) next() heard {
	l.Helper()
	select {
	case d := <-l.deliveries:
		return decode(l, d)
	case <-time.After(patience):
		l.Fatal("no message")
		return heard{}
	}
}

func decode(t testing.TB, d amqp.Delivery) heard {
	t.Helper()
	h := heard{Exchange: d.Exchange, Key: d.RoutingKey, delivery: d}
	ok(t, json.Unmarshal(d.Body, &h.Payload))
	return h
}

// take answers the next messages.
func (l *listener) take(count int) []heard {
	l.Helper()
	all := make([]heard, count)
	for i := range all {
		all[i] = l.next()
	}
	return all
}

// nothing checks that no other message is there: one that is sent now comes next.
func (l *listener) nothing(b *brokertest.Broker) {
	l.Helper()
	c, err := amqp.Dial(brokertest.URL(b.Address()))
	ok(l, err)
	defer c.Close()
	ch, err := c.Channel()
	ok(l, err)
	end := amqp.Publishing{Body: []byte("{}")}
	ok(l, ch.PublishWithContext(l.Context(), "configuration", "the.end", false, false, end))
	if h := l.next(); h.Key != "the.end" {
		l.Errorf("unexpected: %s %v", h.Key, h.Payload)
	}
}

// doc is an address's document.
func doc(id, rev string) document.Document {
	d := document.Document{
		"_id": id, "pvt_type": "dedicated_ip", "pvt_created": document.Number(1), "pvt_modified": document.Number(2),
	}
	if rev != "" {
		d["_rev"] = rev
	}
	return d
}
