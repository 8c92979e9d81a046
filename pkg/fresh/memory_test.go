package fresh_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/fresh"
)

// TestPutOutWhileRead: a document that is put out while it is read is not remembered, since nobody told who read it
// what was written meanwhile.
func TestPutOutWhileRead(t *testing.T) {
	t.Parallel()
	s, d := slowly(t)
	var first sync.WaitGroup
	first.Go(func() { is(t, d, 0) })
	<-s.entered
	for i := range fresh.MaxAbsent + 1 { // each waits to be read
		ctx, cancel := context.WithCancel(t.Context())
		first.Go(func() { _, _ = d.Get(ctx, db, fmt.Sprint("nobody", i)) })
		<-s.entered
		cancel()
	}
	set(t, d.Writing(s.Store), 1)
	close(s.release)
	first.Wait()
	is(t, d, 1)
}

// TestBounds: memory keeps what was used last, within its bounds, and what does not exist puts nothing out.
func TestBounds(t *testing.T) {
	t.Parallel()
	c := &counting{Store: open(t, "memory:")}
	const limit, documents = 100_000, 100
	docs := make([]document.Document, documents)
	for i := range docs {
		docs[i] = document.Document{"_id": fmt.Sprint(i), "text": strings.Repeat("x", 2000)}
	}
	docs[0]["text"] = strings.Repeat("x", 2*limit)
	if _, err := c.PutMany(t.Context(), db, docs); err != nil {
		t.Fatal(err)
	}
	d := fresh.New(c, fresh.Options{Staleness: time.Hour, Bytes: limit})
	read := func(ids ...string) (reads int64) {
		t.Helper()
		c.reads.Store(0)
		for _, id := range ids {
			if _, err := d.Get(t.Context(), db, id); err != nil && !fault.Is(err, fault.BadIdentifier) {
				t.Fatal(err)
			}
			if stats := d.Stats(); stats.Bytes > limit+fresh.SlotBytes*stats.Absent || stats.Absent > fresh.MaxAbsent {
				t.Fatalf("%+v", stats)
			}
		}
		return c.reads.Load()
	}
	for i := range documents {
		read(id, fmt.Sprint(i))
	}
	if reads := read(id, "99", "98", "80"); reads != 0 {
		t.Errorf("%d of the latest were read again", reads)
	}
	if reads := read("0", "0", "1"); reads != 3 {
		t.Errorf("of those put out, and one that is too large, %d were read", reads)
	}
	if known := d.Stats().Known; known < 20 || known > 45 {
		t.Errorf("%d documents are known", known)
	}
	read(id)
	for i := range fresh.MaxAbsent + 100 {
		read(fmt.Sprint("nobody", i))
	}
	if stats := d.Stats(); read(id) != 0 || stats.Absent != fresh.MaxAbsent {
		t.Errorf("%+v", stats)
	}
	if read("nobody0", fmt.Sprint("nobody", fresh.MaxAbsent+99)) != 1 {
		t.Error("of what does not exist, not the latest is remembered")
	}
}

// TestAlwaysOneOfTheLatest: readers never see a number go down, nor one from before a write that is done, whatever is
// put out, forgotten and followed meanwhile.
func TestAlwaysOneOfTheLatest(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{1, fresh.DefaultBytes} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			t.Parallel()
			ownWritesAtOnce(t, bytes)
		})
	}
}

func ownWritesAtOnce(t *testing.T, bytes int) {
	t.Helper()
	s := open(t, "memory:")
	d := fresh.New(s, fresh.Options{Staleness: 30 * time.Millisecond, Bytes: bytes})
	follow(t, d, s)
	w := d.Writing(s)
	var written, stop atomic.Int64
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for last := int64(0); stop.Load() == 0; {
				least := written.Load()
				n := got(t, d)
				if n < least || n < last {
					t.Errorf("read %d after %d was written and %d read", n, least, last)
					return
				}
				last = n
			}
		})
	}
	for n := int64(1); n <= 300; n++ {
		set(t, w, n)
		written.Store(n)
	}
	stop.Store(1)
	readers.Wait()
}
