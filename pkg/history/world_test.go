package history_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

const (
	accountA = "20d27928305e257782655b7896c79f14"
	accountB = "09c766718e5cfdbc70c929dccb4e00fc"
)

// begin is when the tests' clock stands first, in Unix and in Gregorian seconds.
const (
	begin     = 1700000000
	gregorian = begin + 62167219200
)

// world is a store with the pool and its history.
type world struct {
	*testing.T
	storetest.Apart
	clock atomic.Int64 // Unix seconds
}

// run runs a test on a store in memory, and on a CouchDB where there is one.
func run(t *testing.T, test func(w *world)) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, "memory:"))
	})
	t.Run("CouchDB", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, storetest.CouchDSN(t)))
	})
}

// onPeer reports whether a test runs on the peer that stands for a CouchDB.
func (w *world) onPeer() bool {
	return strings.HasSuffix(w.Name(), "/CouchDB") && os.Getenv("JUNCTOR_TEST_COUCHDB") == ""
}

func newWorld(t *testing.T, dsn string) *world {
	t.Helper()
	w := &world{T: t, Apart: storetest.Apart{Store: storetest.Open(t, dsn), Prefix: storetest.NewPrefix()}}
	w.clock.Store(begin)
	w.ok(pooldb.Install(t.Context(), w))
	w.ok(history.Install(t.Context(), w))
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) now() time.Time { return time.Unix(w.clock.Load(), 0) }

// server is a process on the store.
type server struct {
	*world
	*dedicatedip.Pool
	log  *history.Log
	stop func() // ends it as SIGTERM does; nil without Run
}

// process returns a process that does not follow the pool, as a command.
func (w *world) process() *server { return w.processOn(w) }

// processOn returns such a process on the store, or on one that wraps it.
func (w *world) processOn(on interface {
	dedicatedip.Store
	history.Store
}) *server {
	w.Helper()
	s := &server{world: w, log: history.New(on, w.now, zerolog.Nop())}
	s.Pool = dedicatedip.New(on, dedicatedip.Options{Now: w.now, History: s.log, Log: zerolog.Nop()})
	w.Cleanup(func() { _ = s.Pool.Close() })
	return s
}

// server returns a process that follows the pool. It ends with the test.
func (w *world) server() *server {
	w.Helper()
	s := w.process()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	moving, cancelMoving := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { s.Follow(ctx, time.Hour) })
	following.Go(func() { s.log.Run(moving) })
	s.stop = sync.OnceFunc(func() { cancelMoving(); cancel(); following.Wait() })
	w.Cleanup(s.stop)
	testutil.Eventually(w, "the pool is loaded", s.FromMemory)
	return s
}

var by = history.Actor{AccountID: accountA, UserID: "u", RequestID: "r", Client: "198.51.100.1", Source: history.API}

func (s *server) create(ids ...string) {
	s.Helper()
	for _, id := range ids {
		_, err := s.Create(s.Context(), dedicatedip.CreateRequest{Address: id, Zone: "z", Host: "h", By: by})
		s.ok(err)
	}
}

func (s *server) assign(account string, ids ...string) {
	s.Helper()
	s.clock.Add(10)
	_, err := s.Assign(s.Context(), dedicatedip.AssignRequest{Account: account, Addresses: ids, By: by})
	s.ok(err)
}

func (s *server) release(account string, ids ...string) {
	s.Helper()
	s.clock.Add(10)
	_, err := s.Release(s.Context(), dedicatedip.ReleaseRequest{Account: account, Addresses: ids, By: by})
	s.ok(err)
}

func (s *server) delete(id string) {
	s.Helper()
	s.clock.Add(10)
	_, err := s.Delete(s.Context(), dedicatedip.DeleteRequest{Address: id, By: by})
	s.ok(err)
}

// elsewhere writes the document of an address as Kazoo does, over what is there: held by an account, available, or with
// an account of "-" deleted.
func (w *world) elsewhere(id, account string) {
	w.Helper()
	w.clock.Add(10)
	_, err := w.Update(w.Context(), dedicatedip.Database, id, func(doc document.Document) error {
		now := document.Number(kazoo.Gregorian(w.now()))
		if doc.Rev() == "" {
			for key, value := range (document.Document{"pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_zone": "z",
				"pvt_host": "h", "pvt_created": now}) {
				doc[key] = value
			}
		}
		doc["pvt_modified"], doc["pvt_status"] = now, "available"
		switch delete(doc, "pvt_assigned_to"); account {
		case "":
		case "-":
			clear(doc)
			doc["_id"], doc["_rev"], doc["_deleted"] = id, w.stored(id).Rev(), true
		default:
			doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", account
		}
		return nil
	})
	w.ok(err)
}

func (w *world) stored(id string) document.Document {
	w.Helper()
	doc, err := w.Get(w.Context(), dedicatedip.Database, id)
	w.ok(err)
	return doc
}

// events returns what a listing has, in short, the oldest first: "ID ACTION FROM>TO SOURCE", each revision as REV.
func (s *server) events(f history.Filter) (lines []string) {
	s.Helper()
	page, err := s.log.List(s.Context(), f)
	s.ok(err)
	for _, e := range page.Events {
		id := strings.TrimPrefix(e.ID, e.IP)
		if number, revision, ok := strings.Cut(id[1:], ":"); ok {
			generation, _, _ := strings.Cut(revision, "-")
			id = ":" + number + ":" + generation
		}
		lines = append([]string{fmt.Sprintf("%s %s %.1s>%.1s %s", id, e.Action, e.From, e.To, e.Source)}, lines...)
	}
	return lines
}

// waitFor waits until the events of an address are these.
func (s *server) waitFor(ip string, want ...string) {
	s.Helper()
	var got []string
	for end := time.Now().Add(30 * time.Second); strings.Join(got, "\n") != strings.Join(want, "\n"); {
		if time.Now().After(end) {
			s.Fatalf("events of %s:\n%s\nwant:\n%s", ip, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		got = s.events(history.Filter{IP: ip})
		time.Sleep(5 * time.Millisecond)
	}
}
