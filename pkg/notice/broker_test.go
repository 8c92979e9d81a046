package notice

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/notice/brokertest"
)

// TestBrokerStopped stops a broker under writers and starts it again: each write is told of once, those of one
// document in their order.
func TestBrokerStopped(t *testing.T) {
	b := brokertest.Require(t, shared) // no test that needs it runs at the same time
	gate := brokertest.NewGate(t, b.Address())
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, brokertest.URL(gate.Address())))
	run(t, box, s)
	w := Wrap(s, box)

	first := listen(t, b)
	writing := startWriters(t, w)
	before := first.take(200) // the writers are under way, and so are their notices
	gate.Shut()
	until(t, "the loss is noticed", func() bool { return !box.Stats().Connected })
	confirmed := int(box.Stats().Confirmed)
	for len(before) < confirmed {
		before = append(before, first.next())
	}
	b.Stop()
	for d := range first.deliveries { // until the broker's end
		before = append(before, decode(t, d))
	}
	until(t, "notices wait", func() bool { return box.Stats().Waiting > 300 })
	ok(t, b.Start())
	second := listen(t, b)
	gate.Open()
	until(t, "notices flow again", func() bool { return box.Stats().Confirmed > uint64(confirmed) })
	revs := writing.stop()
	idle(t, box)
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
			pace := time.NewTicker(5 * time.Millisecond)
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

// nothingLost checks that every write was heard of, in order, and twice only if it was not confirmed when the
// connection broke: of what was heard before, that many were.
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

// TestUnconfirmed keeps the broker's confirmations back: what was confirmed before does not go again, and what was
// not goes again, once, as the same message.
func TestUnconfirmed(t *testing.T) {
	b := brokertest.Require(t, shared)
	gate := brokertest.NewGate(t, b.Address())
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, brokertest.URL(gate.Address())))
	run(t, box, s)
	w := Wrap(s, box)
	l := listen(t, b)

	put := func(id string) {
		_, err := w.Put(t.Context(), dedicatedip.Database, doc(id, ""))
		ok(t, err)
	}
	put("10.0.2.1")
	l.next()
	idle(t, box)
	gate.Mute()
	put("10.0.2.2")
	unconfirmed := l.next()
	put("10.0.2.3") // waits, as the confirmation of the other is waited for
	gate.Shut()
	gate.Unmute()
	gate.Open()
	again, after := l.next(), l.next()
	idle(t, box)
	l.nothing(b)
	if again.text("Msg-ID") != unconfirmed.text("Msg-ID") || again.text("ID") != "10.0.2.2" {
		t.Errorf("%v\nwas followed by %v", unconfirmed.Payload, again.Payload)
	}
	if after.text("ID") != "10.0.2.3" {
		t.Errorf("then came %v", after.Payload)
	}
}

// TestOrder lets many make and remove one document: its notices come in the order of its revisions.
func TestOrder(t *testing.T) {
	b := brokertest.Require(t, shared)
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, brokertest.URL(b.Address())))
	run(t, box, s)
	w := Wrap(s, box)
	l := listen(t, b)
	var group sync.WaitGroup
	var mu sync.Mutex
	count := 0
	for range 8 {
		group.Go(func() {
			for range 12 {
				done := makeAndRemove(t, w)
				mu.Lock()
				count += done
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for i, h := range l.take(count) {
		if generation(h.text("Rev")) != i+1 {
			t.Fatalf("message %d is %s %s", i+1, h.text("Event-Name"), h.text("Rev"))
		}
	}
	l.nothing(b)
}

// makeAndRemove answers how many of the two writes got through.
func makeAndRemove(t *testing.T, w *Store) (done int) {
	const id = "10.0.3.1"
	rev, err := w.Put(t.Context(), dedicatedip.Database, doc(id, ""))
	if fault.Is(err, fault.Conflict) {
		return 0
	}
	if err == nil {
		err = w.Delete(t.Context(), dedicatedip.Database, id, rev)
	}
	if err != nil {
		t.Error(err)
	}
	return 2
}
