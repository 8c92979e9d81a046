package notify

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/rs/zerolog"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/notify/brokertest"
	"junctor/pkg/testutil"
)

// TestBrokerStopped stops a broker under writers and starts it again: each write is published once, those of one
// document in their order.
func TestBrokerStopped(t *testing.T) {
	b := brokertest.Require(t, shared) // no test that needs it runs at the same time
	gate := brokertest.NewGate(t, b.Address())
	roomy := quick
	roomy.queue = 1 << 20 // however long the broker takes to start
	p, w := start(t, brokertest.URL(gate.Address()), openStore(t, "memory:"), roomy)

	first := listen(t, b)
	writing := startWriters(t, w)
	before := first.take(200) // the writers are at work, and so is the publisher
	gate.Shut()
	testutil.Eventually(t, "the loss is noticed", func() bool { return !p.Stats().Connected })
	confirmed := int(p.Stats().Confirmed)
	for len(before) < confirmed {
		before = append(before, first.next())
	}
	b.Stop()
	for d := range first.deliveries { // until the broker's end
		before = append(before, decode(t, d))
	}
	testutil.Eventually(t, "notices wait", func() bool { return p.Stats().Waiting > 200 })
	if stats := p.Stats(); stats.Oldest <= 0 {
		t.Errorf("notices wait since %v", stats.Oldest)
	}
	ok(t, b.Start())
	second := listen(t, b)
	gate.Open()
	testutil.Eventually(t, "notices flow again", func() bool { return p.Stats().Confirmed > uint64(confirmed) })
	revs := writing.stop()
	idle(t, p)
	second.nothingLost(revs, before, confirmed)
	second.nothing(b)
}

// writers edit documents, each its own.
type writers struct {
	stopped context.CancelFunc
	group   sync.WaitGroup
	mu      sync.Mutex
	revs    map[string][]string // by id
}

func startWriters(t *testing.T, w *Store) *writers {
	ctx, stop := context.WithCancel(t.Context())
	all := &writers{stopped: stop, revs: map[string][]string{}}
	for i := range 8 {
		all.group.Go(func() {
			id, rev := fmt.Sprintf("10.0.1.%d", i), ""
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for ; ctx.Err() == nil; <-pace.C {
				next, err := w.Put(t.Context(), dedicatedip.Database, doc(id, rev))
				if err != nil {
					t.Error(err)
					return
				}
				rev = next
				all.mu.Lock()
				all.revs[id] = append(all.revs[id], rev)
				all.mu.Unlock()
			}
		})
	}
	return all
}

func (w *writers) stop() map[string][]string {
	w.stopped()
	w.group.Wait()
	return w.revs
}

// nothingLost checks that every write was published, in order, and twice only if it was not confirmed when the
// connection broke: that many of those that were heard before.
func (l *listener) nothingLost(revs map[string][]string, before []heard, confirmed int) {
	l.Helper()
	total, heardOf := len(before)-confirmed, map[string][]string{}
	for _, list := range revs {
		total += len(list)
	}
	repeated := 0
	for _, h := range append(before, l.take(total-len(before))...) {
		id, rev := h.text("ID"), h.text("Rev")
		if slices.Contains(heardOf[id], rev) {
			repeated++
			continue
		}
		heardOf[id] = append(heardOf[id], rev)
	}
	for id, want := range revs {
		if !slices.Equal(heardOf[id], want) {
			l.Errorf("%s: heard of %d writes, or in another order, of %d", id, len(heardOf[id]), len(want))
		}
	}
	if repeated != len(before)-confirmed {
		l.Errorf("%d messages came twice, but %d were unconfirmed", repeated, len(before)-confirmed)
	}
	l.Logf("%d messages, %d of them twice", total, repeated)
}

// TestUnconfirmed keeps the broker's confirms back: what was confirmed before is not sent again, and what was not is
// sent again, once, as the same message.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	gate := brokertest.NewGate(t, b.Address())
	p, w := start(t, brokertest.URL(gate.Address()), openStore(t, "memory:"), quick)
	l := listen(t, b)

	put := func(id string) {
		_, err := w.Put(t.Context(), dedicatedip.Database, doc(id, ""))
		ok(t, err)
	}
	put("10.0.2.1")
	l.next()
	idle(t, p)
	gate.Mute()
	put("10.0.2.2")
	unconfirmed := l.next()
	put("10.0.2.3") // waits, as the confirm of the other is waited for
	gate.Shut()
	gate.Unmute()
	gate.Open()
	again, after := l.next(), l.next()
	idle(t, p)
	l.nothing(b)
	if again.text("Msg-ID") != unconfirmed.text("Msg-ID") || again.text("ID") != "10.0.2.2" {
		t.Errorf("%v\nwas followed by %v", unconfirmed.Payload, again.Payload)
	}
	if after.text("ID") != "10.0.2.3" {
		t.Errorf("then came %v", after.Payload)
	}
}

// TestOrder: many make and remove one document. Its notices come in the order of its revisions, up to the last.
func TestOrder(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	p, w := start(t, brokertest.URL(b.Address()), openStore(t, "memory:"), quick)
	l := listen(t, b)
	var group sync.WaitGroup
	var mu sync.Mutex
	writes := 0
	for range 8 {
		group.Go(func() {
			for range 12 {
				done := makeAndRemove(t, w)
				mu.Lock()
				writes += done
				mu.Unlock()
			}
		})
	}
	group.Wait()
	idle(t, p)
	last := 0
	all := l.others(b)
	for _, h := range all {
		if made := kazoo.Generation(h.text("Rev")); made > last {
			last = made
		} else {
			t.Fatalf("%s %s comes after revision %d", h.text("Event-Name"), h.text("Rev"), last)
		}
	}
	if last != writes {
		t.Errorf("the last of %d revisions is %d", writes, last)
	}
	t.Logf("%d writes, %d messages", writes, len(all))
}

// makeAndRemove returns how many of the two writes were made.
func makeAndRemove(t *testing.T, w *Store) (done int) {
	const id = "10.0.3.1"
	rev, err := w.Put(t.Context(), dedicatedip.Database, doc(id, ""))
	if fault.Is(err, fault.Conflict) {
		return 0
	}
	if err == nil {
		err = remove(t.Context(), w, dedicatedip.Database, id, rev)
	}
	if err != nil {
		t.Error(err)
	}
	return 2
}

// TestNoQueueBound (fault R8): the broker confirms messages that no queue takes, as after its restart, when Kazoo's
// nodes are not back yet. They wait until there is one.
func TestNoQueueBound(t *testing.T) {
	b := brokertest.Require(t, shared)
	nobodyListens(t, b)
	p, w := start(t, brokertest.URL(b.Address()), openStore(t, "memory:"), quick)
	rev, err := w.Put(t.Context(), dedicatedip.Database, doc("10.0.5.1", ""))
	ok(t, err)
	_, err = w.Put(t.Context(), accountDB(accountA), doc("10.0.5.1", ""))
	ok(t, err)
	testutil.Eventually(t, "a notice was returned", p.returns)
	_, err = w.Put(t.Context(), dedicatedip.Database, doc("10.0.5.1", rev))
	ok(t, err)
	if stats := p.Stats(); stats.Waiting != 4 || stats.Confirmed != 0 {
		t.Errorf("without a queue: %+v", stats)
	}
	l := listen(t, b)
	idle(t, p)
	latest := map[string]string{}
	for _, h := range l.others(b) {
		latest[h.text("Database")+" "+h.text("Type")] = h.text("Rev")
	}
	db := strings.ReplaceAll(accountDB(accountA), "/", "%2F")
	if kazoo.Generation(latest["dedicated_ips dedicated_ip"]) != 2 || kazoo.Generation(latest[db+" dedicated_ip"]) != 1 || len(latest) != 3 {
		t.Errorf("heard last: %v", latest)
	}
	if stats := p.Stats(); stats.Dropped != 0 {
		t.Errorf("afterwards: %+v", stats)
	}
}

func (p *Publisher) returns() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.unbound.IsZero()
}

// TestNobodyListens: where no Kazoo is at the broker, notices are given up after a time, counted and logged.
func TestNobodyListens(t *testing.T) {
	b := brokertest.Require(t, shared)
	nobodyListens(t, b)
	l := quick
	l.bind = 50 * time.Millisecond
	o := options(t, brokertest.URL(b.Address()))
	var log bytes.Buffer
	o.Log = zerolog.New(zerolog.SyncWriter(&log))
	s := openStore(t, "memory:")
	p := openPublisher(t, o, s, l)
	stop := run(t, p)
	_, err := Wrap(s, p).Put(t.Context(), dedicatedip.Database, doc("10.0.6.1", ""))
	ok(t, err)
	testutil.Eventually(t, "it is given up", func() bool { return p.Stats().Dropped == 1 })
	idle(t, p)
	stop()
	if !strings.Contains(log.String(), "no queue takes change notices") {
		t.Errorf("the log says %s", log.String())
	}
}

// nobodyListens waits until no queue is bound to the exchange: one of an earlier test is removed with its connection.
func nobodyListens(t *testing.T, b *brokertest.Broker) {
	t.Helper()
	c, err := amqp.Dial(brokertest.URL(b.Address()))
	ok(t, err)
	defer c.Close()
	ch, err := c.Channel()
	ok(t, err)
	ok(t, ch.ExchangeDeclare(exchange, "topic", false, false, false, false, nil))
	ok(t, ch.Confirm(false))
	returned := ch.NotifyReturn(make(chan amqp.Return, 1))
	testutil.Eventually(t, "no queue is bound", func() bool {
		sent, err := ch.PublishWithDeferredConfirm(exchange, end, true, false, amqp.Publishing{})
		ok(t, err)
		sent.Wait()
		select {
		case <-returned:
			return true
		default:
			return false
		}
	})
}
