package notice

import (
	"context"
	"errors"
	"sync"
	"testing"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/notice/brokertest"
)

// lateWrite is a store that does not respond to a write in time, and makes it later.
type lateWrite struct {
	dedicatedip.Store
	doc document.Document
}

func (l *lateWrite) Put(_ context.Context, _ string, doc document.Document) (string, error) {
	l.doc = doc
	return "", fault.Wrap(fault.DatastoreUnreachable, errors.New("timeout"))
}

// watchedReads reports the first look at documents whose fate is not known.
type watchedReads struct {
	Documents
	looked func()
}

func (w watchedReads) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	defer w.looked()
	return w.Documents.GetMany(ctx, db, ids)
}

// TestLateWrite: a write that timed out and is made after somebody has looked for it is told of, too (B5).
func TestLateWrite(t *testing.T) {
	t.Skip("issue 7: a note is dropped at the first look that does not find its write")
	t.Parallel()
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, unreachable))
	slow := &lateWrite{Store: s}
	looked := make(chan struct{})
	run(t, box, watchedReads{s, sync.OnceFunc(func() { close(looked) })})
	_, err := Wrap(slow, box).Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
	if !fault.Is(err, fault.DatastoreUnreachable) {
		t.Fatal(err)
	}
	<-looked
	_, err = s.Put(t.Context(), dedicatedip.Database, slow.doc)
	ok(t, err)
	until(t, "a notice waits", func() bool {
		waiting, err := box.queue.next(10)
		ok(t, err)
		return len(waiting) == 1 && waiting[0].Message.ID == "10.0.0.1"
	})
}

// TestNobodyListens: a notice that reaches no queue, as right after a restart of the broker, waits until there is one (R8).
func TestNobodyListens(t *testing.T) {
	t.Skip("issue 7: notices are not sent as mandatory, and a broker confirms those that no queue gets")
	b := brokertest.Require(t, brokertest.Start)
	t.Cleanup(b.Close)
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, brokertest.URL(b.Address())))
	run(t, box, s)
	_, err := Wrap(s, box).Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
	ok(t, err)
	until(t, "the broker is there", func() bool { return box.Stats().Connected })
	box.noting.Wait()
	if got := listen(t, b).next(); got.text("ID") != "10.0.0.1" {
		t.Errorf("heard %v", got.Payload)
	}
}
