package notify

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
	"junctor/pkg/notify/brokertest"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// heardOf returns what messages are about, each once, in the order of the last of each.
func heardOf(all []heard) (list []string) {
	for _, h := range all {
		list = slices.DeleteFunc(list, func(s string) bool { return s == h.says() })
		list = append(list, h.says())
	}
	return list
}

func wantHeard(t *testing.T, all []heard, want ...string) {
	t.Helper()
	got := heardOf(all)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("heard %q\nwant %q", got, want)
	}
}

// TestQueueFull: with the broker away for long, memory is bounded and nothing is lost: what was not queued is in the
// change feed, and copies are in the checkpoint.
func TestQueueFull(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	gate := brokertest.NewGate(t, b.Address())
	gate.Shut()
	l := listen(t, b)
	few := quick
	few.queue = 10
	p, w := start(t, brokertest.URL(gate.Address()), openStore(t, "memory:"), few)
	var want []string
	for i := range 15 {
		id := fmt.Sprintf("10.0.0.%d", i)
		rev, err := w.Put(t.Context(), dedicatedip.Database, doc(id, ""))
		ok(t, err)
		if i == 14 {
			_, err = w.Put(t.Context(), dedicatedip.Database, doc(id, rev))
			ok(t, err)
			want = append(want, "dedicated_ips dedicated_ip "+id+" doc_edited")
			continue
		}
		want = append(want, "dedicated_ips dedicated_ip "+id+" doc_created")
	}
	rev, err := w.Put(t.Context(), accountDB(accountA), doc("10.0.0.1", ""))
	ok(t, err)
	ok(t, remove(t.Context(), w, accountDB(accountA), "10.0.0.1", rev))
	if waits := p.Stats().Waiting; waits != few.queue {
		t.Errorf("%d notices wait", waits)
	}
	gate.Open()
	idle(t, p)
	wantHeard(t, l.others(b), append(want,
		"account dedicated_ip 10.0.0.1 doc_deleted", "account resource 10.0.0.1 doc_edited")...)
	if stats := p.Stats(); stats.Dropped != 0 {
		t.Errorf("afterwards: %+v", stats)
	}
}

// TestStoppedUnsent: what a process could not send is published by the next one in its folder, of which there is one.
func TestStoppedUnsent(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{
		"memory": func(testing.TB) string { return "memory:" }, "CouchDB": storetest.FreshCouch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testStoppedUnsent(t, openStore(t, dsn(t)))
		})
	}
}

func testStoppedUnsent(t *testing.T, s *store.Store) {
	b := brokertest.Require(t, shared)
	o := options(t, unreachable)
	p, err := open(o, s, quick)
	ok(t, err)
	_, err = open(o, s, quick)
	if err == nil || !strings.Contains(err.Error(), "in use by another junctor") {
		t.Errorf("a second publisher in the folder: %v", err)
	}
	stop := run(t, p)
	w := Wrap(s, p)
	held := doc("10.0.0.1", "")
	held["pvt_assigned_to"] = accountA
	_, err = w.Put(t.Context(), dedicatedip.Database, held)
	ok(t, err)
	other := accountDB(accountB)
	rev, err := w.Put(t.Context(), other, doc("10.0.0.1", ""))
	ok(t, err)
	ok(t, remove(t.Context(), w, other, "10.0.0.1", rev))
	stop()
	ok(t, p.Close())
	if _, err := w.Put(t.Context(), dedicatedip.Database, doc("10.0.0.2", "")); err != nil {
		t.Errorf("a write after the publisher was closed: %v", err)
	}

	l := listen(t, b)
	o.URL = brokertest.URL(b.Address())
	next := openPublisher(t, o, s, quick)
	stop = run(t, next)
	idle(t, next)
	heard := l.others(b)
	wantHeard(t, heard,
		"dedicated_ips dedicated_ip 10.0.0.1 doc_created", "dedicated_ips dedicated_ip 10.0.0.2 doc_created",
		"account dedicated_ip 10.0.0.1 doc_deleted", "account resource 10.0.0.1 doc_edited")
	var accounts []string
	for _, h := range heard {
		if h.text("Type") == "resource" {
			accounts = append(accounts, h.text("Account-ID"))
		}
	}
	if !slices.Contains(accounts, accountA) || !slices.Contains(accounts, accountB) {
		t.Errorf("proxies are dropped for %v", accounts)
	}
	stop()
}

// TestStoppedSent: a process that sent everything leaves nothing to the next one.
func TestStoppedSent(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	s := openStore(t, "memory:")
	o := options(t, brokertest.URL(b.Address()))
	l := listen(t, b)
	p, err := open(o, s, quick)
	ok(t, err)
	stop := run(t, p)
	testutil.Eventually(t, "connected", func() bool { return p.Stats().Connected })
	_, err = Wrap(s, p).Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
	ok(t, err)
	stop() // which sends it
	ok(t, p.Close())
	wantHeard(t, l.others(b), "dedicated_ips dedicated_ip 10.0.0.1 doc_created")
	if files, err := os.ReadDir(o.Dir); err != nil || slices.ContainsFunc(files, func(f os.DirEntry) bool {
		return f.Name() == CheckpointFile
	}) {
		t.Errorf("the folder holds %v, %v", files, err)
	}
	next := openPublisher(t, o, s, quick)
	run(t, next)
	idle(t, next)
	l.nothing(b)
}

// TestCheckpoint: what is confirmed is not published again after a crash, neither documents of the pool nor copies.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	s := openStore(t, "memory:")
	o := options(t, brokertest.URL(b.Address()))
	p := openPublisher(t, o, s, quick)
	run(t, p)
	l := listen(t, b)
	for _, db := range []string{dedicatedip.Database, accountDB(accountA)} {
		_, err := Wrap(s, p).Put(t.Context(), db, doc("10.0.0.1", ""))
		ok(t, err)
	}
	sequence, _, err := s.Position(t.Context(), dedicatedip.Database)
	ok(t, err)
	testutil.Eventually(t, "there is a new checkpoint", func() bool {
		text, err := os.ReadFile(filepath.Join(o.Dir, CheckpointFile))
		return err == nil && string(text) == `"`+sequence+`"`
	})
	l.others(b)

	crashed := options(t, o.URL) // it has what a crash would leave
	text, err := os.ReadFile(filepath.Join(o.Dir, CheckpointFile))
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(crashed.Dir, CheckpointFile), text, 0o600))
	next := openPublisher(t, crashed, s, quick)
	run(t, next)
	idle(t, next)
	l.nothing(b)
}

// TestUnreadableCheckpoint: a damaged file, and one with the sequence of another store, are followed by one notice of each
// address.
func TestUnreadableCheckpoint(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	for name, text := range map[string]string{"empty": "", "damaged": "a database", "of another store": `"1-g1AAAACb"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, "memory:")
			_, err := s.Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", ""))
			ok(t, err)
			o := options(t, brokertest.URL(b.Address()))
			var log bytes.Buffer
			o.Log = zerolog.New(zerolog.SyncWriter(&log))
			ok(t, os.WriteFile(filepath.Join(o.Dir, CheckpointFile), []byte(text), 0o600))
			l := listen(t, b)
			p := openPublisher(t, o, s, quick)
			stop := run(t, p)
			idle(t, p)
			wantHeard(t, l.others(b), "dedicated_ips dedicated_ip 10.0.0.1 doc_created")
			stop()
			if says := strings.Contains(log.String(), "no readable checkpoint"); says == strings.HasPrefix(text, `"`) {
				t.Errorf("the log says %s", log.String())
			}
		})
	}
}

// late is a store whose writes fail and are made a moment later.
type late struct {
	dedicatedip.Store
	t     *testing.T
	after time.Duration
}

var errTimeout = fault.Wrap(fault.DatastoreUnreachable, errors.New("timeout"))

func (l late) Put(_ context.Context, db string, d document.Document) (string, error) {
	_, err := l.PutMany(l.t.Context(), db, []document.Document{d})
	return "", err
}

func (l late) PutMany(_ context.Context, db string, docs []document.Document) ([]store.Written, error) {
	time.AfterFunc(l.after, func() {
		written, err := l.Store.PutMany(l.t.Context(), db, docs)
		for _, w := range written {
			err = errors.Join(err, w.Err)
		}
		if err != nil {
			l.t.Error(err)
		}
	})
	return nil, errTimeout
}

// TestLateWrite (fault B5): a write times out and is made after that.
func TestLateWrite(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	longer := quick
	longer.late = 5 * time.Second
	for _, after := range []time.Duration{0, 300 * time.Millisecond, 1200 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			s := openStore(t, "memory:")
			p, _ := start(t, brokertest.URL(b.Address()), s, longer)
			w := Wrap(late{s, t, after}, p)
			l := listen(t, b)
			if _, err := w.Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", "")); !errors.Is(err, errTimeout) {
				t.Errorf("the write returns %v", err)
			}
			copies := []document.Document{doc("10.0.0.2", ""), doc("10.0.0.3", "")}
			if _, err := w.PutMany(t.Context(), accountDB(accountA), copies); !errors.Is(err, errTimeout) {
				t.Errorf("the writes return %v", err)
			}
			idle(t, p)
			latest := map[string]string{}
			for _, h := range l.others(b) {
				latest[strings.TrimSuffix(h.says(), h.text("Event-Name"))] = h.text("Event-Name")
			}
			for _, name := range []string{
				"dedicated_ips dedicated_ip 10.0.0.1 ", "account dedicated_ip 10.0.0.2 ", "account dedicated_ip 10.0.0.3 ",
			} {
				if latest[name] != created {
					t.Errorf("heard last of %s%s", name, latest[name])
				}
			}
			if latest["account resource 10.0.0.2 "] == "" && latest["account resource 10.0.0.3 "] == "" {
				t.Error("the account's proxies are not dropped")
			}
		})
	}
}

// TestLateAfterCrash: a process is killed while its write waits in the store, which makes it after the next process has
// begun.
func TestLateAfterCrash(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	s := openStore(t, "memory:")
	o := options(t, brokertest.URL(b.Address()))
	first, err := open(o, s, quick)
	ok(t, err)
	for _, db := range []string{dedicatedip.Database, accountDB(accountA)} {
		first.begin(db, []document.Document{doc("10.0.0.1", "")}, nil)
	}
	ok(t, first.Close())
	longer := quick
	longer.late = 10 * time.Second // the writes below are made within this time
	l := listen(t, b)
	next := openPublisher(t, o, s, longer)
	run(t, next)
	l.next() // the copy, which does not exist yet
	for _, db := range []string{dedicatedip.Database, accountDB(accountA)} {
		_, err := s.Put(t.Context(), db, doc("10.0.0.1", ""))
		ok(t, err)
	}
	idle(t, next)
	all := heardOf(l.others(b))
	for _, want := range []string{
		"dedicated_ips dedicated_ip 10.0.0.1 doc_created", "account dedicated_ip 10.0.0.1 doc_created",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("heard %q, but not %s", all, want)
		}
	}
}

// TestSilentBroker: writes return while a broker accepts the connection and says nothing.
func TestSilentBroker(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	p, w := start(t, "amqp://guest:guest@"+l.Addr().String()+"/", openStore(t, "memory:"), quick)
	conn, err := l.Accept()
	ok(t, err)
	for i := range 100 {
		_, err := w.Put(t.Context(), dedicatedip.Database, doc(fmt.Sprintf("10.0.4.%d", i), ""))
		ok(t, err)
	}
	if stats := p.Stats(); stats.Waiting != 100 || stats.Connected {
		t.Errorf("while the broker is silent: %+v", stats)
	}
	ok(t, conn.Close())
}

// TestRefused: a write that lost to another, or whose database Kazoo does not cache, is not published.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := openStore(t, "memory:")
	ok(t, s.CreateDatabase(t.Context(), "routing"))
	p := openPublisher(t, options(t, unreachable), s, quick)
	w := Wrap(s, p)
	_, err := w.Put(t.Context(), dedicatedip.Database, doc("10.0.0.1", "1-00000000000000000000000000000000"))
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a stale revision: %v", err)
	}
	if err := remove(t.Context(), w, dedicatedip.Database, "10.0.0.1", "1-00000000000000000000000000000000"); err == nil {
		t.Error("an unknown document could be deleted")
	}
	rev, err := w.Put(t.Context(), "routing", document.Document{"_id": "x"})
	ok(t, err)
	_, err = w.PutMany(t.Context(), "routing", []document.Document{{"_id": "y"}})
	ok(t, err)
	ok(t, remove(t.Context(), w, "routing", "x", rev))
	written, err := w.PutMany(t.Context(), dedicatedip.Database, []document.Document{
		doc("10.0.0.2", ""), doc("10.0.0.3", "1-00000000000000000000000000000000")})
	ok(t, err)
	if written[0].Err != nil || !fault.Is(written[1].Err, fault.Conflict) {
		t.Errorf("a bulk write: %v", written)
	}
	if len(p.queue) != 1 || p.queue[0].message.ID != "10.0.0.2" || !p.due.IsZero() || p.inFlight != 0 {
		t.Errorf("queued are %d, a replay is active: %v", len(p.queue), !p.due.IsZero())
	}
}

// TestOvertaken: the outcome of a write becomes known after that of a later one. Its notice is not sent: the one of
// the later write was queued after both were made.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	s := openStore(t, "memory:")
	p := openPublisher(t, options(t, unreachable), s, quick)
	write := func(d document.Document, rev string) (end func()) {
		notices := p.begin(dedicatedip.Database, []document.Document{d}, nil)
		return func() { p.end(notices, []store.Written{{Rev: rev}}, nil) }
	}
	removed := write(document.Document{"_id": "10.0.0.1", "_rev": "1-a", "_deleted": true}, "2-b")
	made := write(doc("10.0.0.1", ""), "3-c")
	made()
	removed()
	write(doc("10.0.0.1", "3-c"), "4-d")()
	write(doc("10.0.0.1", ""), "1-e")() // it was purged, or its database was made anew
	var got []string
	for _, n := range p.queue {
		got = append(got, n.message.Rev)
	}
	if want := []string{"3-c", "4-d", "1-e"}; !slices.Equal(got, want) {
		t.Errorf("queued are %q, want %q", got, want)
	}
}
