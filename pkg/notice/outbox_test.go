package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// TestOverflow: with the broker away the oldest notices go, the log says so and they are counted.
func TestOverflow(t *testing.T) {
	t.Parallel()
	s := openStore(t, "memory:")
	var log bytes.Buffer
	o := options(t, unreachable)
	o.Log = zerolog.New(&log)
	box := openOutbox(t, o)
	box.queue.limit = 10
	w := Wrap(s, box)
	for i := range 15 {
		_, err := w.Put(t.Context(), dedicatedip.Database, doc(fmt.Sprintf("10.0.0.%d", i), ""))
		ok(t, err)
		box.noting.Wait()
	}
	if stats := box.Stats(); stats.Waiting != 10 || stats.Dropped != 5 {
		t.Errorf("waiting and dropped: %+v", stats)
	}
	if !strings.Contains(log.String(), "the oldest were dropped") {
		t.Errorf("the log says %q", log.String())
	}
	left, err := box.queue.next(100)
	ok(t, err)
	if got := idsOf(left); got[0] != "10.0.0.5" || got[len(got)-1] != "10.0.0.14" {
		t.Errorf("left are %v", got)
	}
}

func idsOf(entries []entry) (ids []string) {
	for _, e := range entries {
		ids = append(ids, e.Message.ID)
	}
	return ids
}

// TestReopen: what waits is there for the next process, which has the file to itself.
func TestReopen(t *testing.T) {
	t.Parallel()
	s := openStore(t, "memory:")
	o := options(t, unreachable)
	box, err := Open(o)
	ok(t, err)
	_, err = Wrap(s, box).Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
	ok(t, err)
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "in use by another junctor") {
		t.Errorf("a second outbox on the file: %v", err)
	}
	ok(t, box.Close())
	if _, err := Wrap(s, box).Put(t.Context(), dedicatedip.Database, doc("10.0.0.2", "")); err != nil {
		t.Errorf("a write after the file was closed: %v", err)
	}
	again := openOutbox(t, o)
	_, err = Wrap(s, again).Put(t.Context(), dedicatedip.Database, doc("10.0.0.3", ""))
	ok(t, err)
	again.noting.Wait()
	left, err := again.queue.next(100)
	ok(t, err)
	if got := idsOf(left); !slices.Equal(got, []string{"10.0.0.1", "10.0.0.3"}) || again.Stats().Waiting != 2 {
		t.Errorf("left are %v, waiting %d", got, again.Stats().Waiting)
	}
}

// TestSilentBroker: a broker that accepts and never answers costs a write no more than one that is not there.
func TestSilentBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	absent := writeTime(t, unreachable, func() {})
	silent := writeTime(t, "amqp://guest:guest@"+l.Addr().String()+"/", func() { defer (<-accepted).Close() })
	t.Logf("a write takes %v with a silent broker and %v with none", silent, absent)
	if silent > 3*absent+10*time.Millisecond {
		t.Errorf("a write takes %v with a silent broker and %v with none", silent, absent)
	}
}

// writeTime answers what a write takes, in the median, while the outbox is busy with the broker.
func writeTime(t *testing.T, url string, busy func()) time.Duration {
	t.Helper()
	s := openStore(t, "memory:")
	box := openOutbox(t, options(t, url))
	stop := run(t, box, s)
	defer stop()
	w := Wrap(s, box)
	times := make([]time.Duration, 100)
	for i := range times {
		start := time.Now()
		_, err := w.Put(t.Context(), dedicatedip.Database, doc(fmt.Sprintf("10.0.4.%d", i), ""))
		ok(t, err)
		times[i] = time.Since(start)
	}
	busy()
	slices.Sort(times)
	return times[len(times)/2]
}

// doubtful is a store that does not tell whether it has written.
type doubtful struct {
	dedicatedip.Store
	writes bool
}

func (d doubtful) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	if d.writes {
		if _, err := d.Store.PutMany(ctx, db, docs); err != nil {
			return nil, err
		}
	}
	return nil, fault.Wrap(fault.DatastoreUnreachable, errors.New("timeout"))
}

// TestDoubtful: where the store's answer is lost, the document decides.
func TestDoubtful(t *testing.T) {
	t.Parallel()
	for _, writes := range []bool{true, false} {
		s := openStore(t, "memory:")
		box := openOutbox(t, options(t, unreachable))
		run(t, box, s)
		_, err := Wrap(doubtful{s, writes}, box).PutMany(t.Context(), accountDB(accountA),
			[]document.Document{doc("10.0.0.1", ""), doc("10.0.0.2", "")})
		if !fault.Is(err, fault.DatastoreUnreachable) {
			t.Errorf("the write answers %v", err)
		}
		var want []string
		if writes {
			want = []string{"10.0.0.1 dedicated_ip 1", "10.0.0.2 dedicated_ip 1"}
		}
		want = append(want, "10.0.0.1 resource 1")
		until(t, "doubts are settled", func() bool {
			notes, err := box.queue.notes()
			return err == nil && len(notes) == 0
		})
		left, err := box.queue.next(10)
		ok(t, err)
		var got []string
		for _, e := range left {
			got = append(got, fmt.Sprint(e.Message.ID, " ", e.Message.Type, " ", e.generation()))
		}
		if !slices.Equal(got, want) {
			t.Errorf("writes %v: notices %v, want %v", writes, got, want)
		}
	}
}

// TestRefused: a write that lost to another, or that is none of Kazoo's business, is not told of.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := openStore(t, "memory:")
	ok(t, s.CreateDatabase(t.Context(), "routing"))
	box := openOutbox(t, options(t, unreachable))
	w := Wrap(s, box)
	_, err := w.Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", "1-00000000000000000000000000000000"))
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a stale revision: %v", err)
	}
	if err := w.Delete(t.Context(), dedicatedip.Database, "10.0.0.1", "1-00000000000000000000000000000000"); err == nil {
		t.Error("an unknown document could be deleted")
	}
	rev, err := w.Put(t.Context(), "routing", document.Document{"_id": "x"})
	ok(t, err)
	_, err = w.PutMany(t.Context(), "routing", []document.Document{{"_id": "y"}})
	ok(t, err)
	ok(t, w.Delete(t.Context(), "routing", "x", rev))
	written, err := w.PutMany(t.Context(), dedicatedip.Database, []document.Document{
		doc("10.0.0.2", ""), doc("10.0.0.3", "1-00000000000000000000000000000000")})
	ok(t, err)
	if written[0].Err != nil || !fault.Is(written[1].Err, fault.Conflict) {
		t.Errorf("a bulk write: %v", written)
	}
	box.noting.Wait()
	left, err := box.queue.next(10)
	ok(t, err)
	if got := idsOf(left); !slices.Equal(got, []string{"10.0.0.2"}) || box.Stats().Waiting != 1 {
		t.Errorf("left are %v", got)
	}
}

// TestDamagedFile: P6, P7. Notices that waited are not lost without a word.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "foreign": strings.Repeat("no notices ", 1000)} {
		dir := t.TempDir()
		file := filepath.Join(dir, fileName)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(Options{URL: "amqp://127.0.0.1:1/", Dir: dir})
		if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != content {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
}
