package notice

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// late is a store whose Put says that it is there, and waits until it may write.
type late struct {
	dedicatedip.Store
	there, may chan struct{}
}

func (l late) Put(ctx context.Context, db string, d document.Document) (string, error) {
	close(l.there)
	<-l.may
	return l.Store.Put(ctx, db, d)
}

// TestOvertaken: a document is made anew by a write that was noted before the removal it followed. Notices of the
// document wait for it and then go by revision; those of others do not wait.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, unreachable))
	w := Wrap(s, box)
	rev, err := w.Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
	ok(t, err)
	box.noting.Wait()
	l := late{s, make(chan struct{}), make(chan struct{})}
	made := make(chan error, 1)
	go func() {
		_, err := Wrap(l, box).Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
		made <- err
	}()
	<-l.there
	ok(t, w.Delete(t.Context(), dedicatedip.Database, "10.0.0.1", rev))
	box.noting.Wait() // notices are numbered when the outcome of their write is known
	_, err = w.Put(t.Context(), dedicatedip.Database, doc("10.0.0.2", ""))
	ok(t, err)
	wantNext(t, box, "10.0.0.1 doc_created 1", "10.0.0.2 doc_created 1")
	close(l.may)
	ok(t, <-made)
	wantNext(t, box,
		"10.0.0.1 doc_created 1", "10.0.0.1 doc_deleted 2", "10.0.0.2 doc_created 1", "10.0.0.1 doc_created 3")
}

// TestLateOutcome: a document is removed and made anew, and that it was removed becomes known last, in the middle
// of a queue of others. The notice of the later write waits for it.
func TestLateOutcome(t *testing.T) {
	t.Parallel()
	box := openOutbox(t, options(t, unreachable))
	write := func(d document.Document, rev string) (tell func()) {
		notes := box.note(dedicatedip.Database, []document.Document{d}, nil)
		return func() {
			box.outcome(notes, []store.Written{{Rev: rev}}, nil)
			box.noting.Wait()
		}
	}
	made := write(doc("10.0.0.1", ""), "3-c")
	removed := write(document.Document{"_id": "10.0.0.1", "_rev": "1-a", "_deleted": true}, "2-b")
	made()
	wantNext(t, box)
	edited := write(doc("10.0.0.1", "3-c"), "4-d")
	write(doc("10.0.0.2", ""), "1-a")()
	wantNext(t, box, "10.0.0.2 doc_created 1")
	edited()
	removed()
	wantNext(t, box,
		"10.0.0.1 doc_deleted 2", "10.0.0.2 doc_created 1", "10.0.0.1 doc_created 3", "10.0.0.1 doc_edited 4")
}

func wantNext(t *testing.T, box *Outbox, want ...string) {
	t.Helper()
	box.noting.Wait()
	batch, err := box.queue.next(10)
	ok(t, err)
	var got []string
	for _, e := range batch {
		got = append(got, fmt.Sprint(e.Message.ID, " ", e.Message.EventName, " ", e.generation()))
	}
	if !slices.Equal(got, want) {
		t.Errorf("next are %q\nwant %q", got, want)
	}
}
