package history_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

const ip = "192.0.2.7"

// life is the events of an address that is created, assigned to A, released, assigned to B, deleted and created again.
var life = []string{
	":1 created > api", ":2 assigned >2 api", ":3 released 2> api", ":4 assigned >0 api", ":5 deleted 0> api",
	":6 created > api",
}

func (s *server) live() {
	s.Helper()
	s.create(ip)
	s.assign(accountA, ip)
	s.release(accountA, ip)
	s.assign(accountB, ip)
	s.delete(ip)
	s.clock.Add(10)
	s.create(ip)
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRead: a listing has what this process has just changed, whether it runs a Log or not.
func TestRead(t *testing.T) {
	run(t, func(w *world) {
		for _, s := range []*server{w.server(), w.process()} {
			if s.stop == nil {
				s.delete(ip)
				s.waitFor(ip, append(life[:6:6], ":7 deleted > api")...)
				continue
			}
			s.live()
			s.waitFor(ip, life...)
			equal(t, s.events(history.Filter{Account: accountA}), life[1:3]...)
			equal(t, s.events(history.Filter{Account: accountB}), life[3:5]...)
			equal(t, s.events(history.Filter{From: gregorian + 10, To: gregorian + 30}), life[1:4]...)
			s.at(gregorian+19, accountA)
			s.at(gregorian+20, "")
			s.at(gregorian+35, accountB)
		}
		s := w.process()
		equal(t, s.events(history.Filter{IP: ip}), append(life[:6:6], ":7 deleted > api")...)
		page, err := s.log.List(t.Context(), history.Filter{Account: accountB, PageSize: 1})
		w.ok(err)
		if e := page.Events[0]; e.Actor != by || e.Zone != "z" || e.Host != "h" || e.At != gregorian+40 || page.Next == "" {
			t.Errorf("%+v", e)
		}
	})
}

// at checks who had the address at a time.
func (s *server) at(at int64, holder string) {
	s.Helper()
	e, ok, err := s.log.At(s.Context(), ip, at)
	s.ok(err)
	if !ok || e.To != holder {
		s.Errorf("at %d: %+v", at-gregorian, e)
	}
	if _, ok, err := s.log.At(s.Context(), ip, gregorian-1); ok || err != nil {
		s.Errorf("before it was created: %v", err)
	}
}

// TestPages reads a listing in pages of every size, and start keys that are none.
func TestPages(t *testing.T) {
	run(t, func(w *world) {
		s := w.process()
		s.live()
		s.create("192.0.2.8")
		s.waitFor("192.0.2.8", ":1 created > api") // which is the last
		for _, f := range []history.Filter{{}, {IP: ip}, {Account: accountA}, {From: gregorian + 10, To: gregorian + 40}} {
			whole := s.events(f)
			for f.PageSize = 1; f.PageSize <= len(whole)+1; f.PageSize++ {
				equal(t, s.pages(f, len(whole)), whole...)
			}
		}
		other, err := s.log.List(t.Context(), history.Filter{Account: accountA, PageSize: 1})
		w.ok(err)
		for _, key := range []string{"x", "WzFd", "bnVsbA", other.Next, other.Next + "A"} {
			for _, f := range []history.Filter{{IP: ip, StartKey: key}, {Account: accountB, StartKey: key}} {
				if _, err := s.log.List(t.Context(), f); !fault.Is(err, fault.Invalid) {
					t.Errorf("%+v: %v", f, err)
				}
			}
		}
		for _, key := range []string{ // of rows that no listing of the filter has
			`[1,2]`, `[1]`, `["192.0.2.8",1,1,0,"x"]`, fmt.Sprintf(`[%d,"192.0.2.8",1,0,"x"]`, gregorian+9),
			fmt.Sprintf(`[%d,"192.0.2.8",1,0,"x"]`, gregorian+41), fmt.Sprintf(`[%d,"192.0.2.8",1,0]`, gregorian+20),
			fmt.Sprintf(`[%d,1,1,0,"x"]`, gregorian+20), fmt.Sprintf(`[%d,"192.0.2.8","1",0,"x"]`, gregorian+20),
			fmt.Sprintf(`[%d,"192.0.2.8",1,0,1]`, gregorian+20), fmt.Sprintf(`[%d,"192.0.2.8",1,"0","x"]`, gregorian+20),
		} {
			f := history.Filter{From: gregorian + 10, To: gregorian + 40, StartKey: base64.RawURLEncoding.EncodeToString([]byte(key))}
			if _, err := s.log.List(t.Context(), f); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}

// TestPagesBeginAnywhere: also with a change by others that is known only from what the next one goes on from, and with
// one of two changes that have the number and the time in common.
func TestPagesBeginAnywhere(t *testing.T) {
	run(t, func(w *world) {
		s := w.process()
		s.create(ip, "192.0.2.8")
		s.assign(accountA, ip, "192.0.2.8")
		w.ok(s.log.Flush(t.Context()))
		for _, doc := range []document.Document{w.stored(ip), w.stored("192.0.2.8")} {
			changes := history.Changes(doc)
			after := doc.Clone()
			delete(after, "pvt_assigned_to")
			after["pvt_status"], doc["pvt_assigned_to"] = "available", accountB
			doc["pvt_changes"].([]any)[0].(map[string]any)["to"] = accountB
			history.Record(after, doc, by, changes[0].At) // all in one second
			if doc.ID() == ip {
				after["pvt_changes"] = after["pvt_changes"].([]any)[:1]
			}
			s.log.Observe(after)
		}
		for id, want := range map[string][]string{
			ip:          {":1 created > api", ":2 assigned >2 api", ":2:1 moved 2>0 elsewhere", ":3 released 0> api"},
			"192.0.2.8": {":1 created > api", ":2 assigned >2 api", fmt.Sprintf(":2:%d assigned >0 api", gregorian+10), ":3 released 0> api"},
		} {
			equal(t, s.events(history.Filter{IP: id}), want...)
			if id == ip || !w.onPeer() { // PouchDB does not look at the id of the document where a page begins
				equal(t, s.pages(history.Filter{IP: id, PageSize: 1}, len(want)), want...)
			}
		}
	})
}

// TestPageOfEarlierBuild: the revision of a change that was not seen had no generation.
func TestPageOfEarlierBuild(t *testing.T) {
	run(t, func(w *world) {
		s := w.process()
		s.create(ip)
		w.ok(s.log.Flush(t.Context()))
		_, err := w.Put(t.Context(), history.Database, document.Document{"_id": ip + ":1:unseen", "pvt_type": "ip_event", "ip": ip,
			"n": 1, "at": document.Number(gregorian - 20), "action": "moved", "source": "elsewhere", "rev": "unseen"})
		w.ok(err)
		all := s.events(history.Filter{IP: ip})
		equal(t, s.pages(history.Filter{IP: ip, PageSize: 1}, len(all)), all...)
	})
}

// pages reads a listing page by page, as long as it has no more events than it should have.
func (s *server) pages(f history.Filter, most int) (got []string) {
	s.Helper()
	for len(got) <= most {
		got = append(s.events(f), got...)
		page, err := s.log.List(s.Context(), f)
		s.ok(err)
		if f.StartKey = page.Next; f.StartKey == "" {
			break
		}
	}
	return got
}

// TestKilled: what a process did not move before it was killed is found by the next one: in the document, or because it
// was moved before the document dropped it.
func TestKilled(t *testing.T) {
	run(t, func(w *world) {
		w.process().live() // without Run or Flush: two of its six changes are in no document
		w.elsewhere("192.0.2.9", accountA)
		s := w.server()
		s.waitFor(ip, life...)
		s.stop()
		w.process().assign(accountA, ip)
		w.server().waitFor(ip, append(life[:6:6], ":7 assigned >2 api")...)
	})
}

// TestHistoryDown: changes go on while the history can't be written, and nothing of them is lost.
func TestHistoryDown(t *testing.T) {
	run(t, func(w *world) {
		s := w.process()
		s.create(ip)
		down := w.processOn(w.With(func(c storetest.Call, do func() error) error {
			if c.Name == "put" && c.DB == history.Database {
				return fault.New(fault.DatastoreUnreachable, "")
			}
			return do()
		}))
		var want []string
		for n := range 4 {
			down.assign(accountA, ip)
			down.release(accountA, ip)
			want = append(want, fmt.Sprintf(":%d assigned >2 api", 2*n+2), fmt.Sprintf(":%d released 2> api", 2*n+3))
		}
		if n := len(history.Changes(w.stored(ip))); n != 9 {
			t.Errorf("the document holds %d changes", n)
		}
		if stats := down.log.Stats(); stats.Waiting != 8 || stats.Oldest != 70*time.Second {
			t.Errorf("%+v", stats)
		}
		w.server().waitFor(ip, append([]string{":1 created > api"}, want...)...)
		testutil.Eventually(t, "the document holds as many changes as usual", func() bool { // on a slow machine not at once
			s.assign(accountB, ip)
			held := len(history.Changes(w.stored(ip)))
			s.release(accountB, ip)
			return held == history.Held
		})
	})
}

// TestTwoServers: each moves what it hears of, and every change is one event.
func TestTwoServers(t *testing.T) {
	run(t, func(w *world) {
		a, b := w.server(), w.server()
		a.live()
		b.waitFor(ip, life...)
		b.assign(accountA, ip)
		a.waitFor(ip, append(life[:6:6], ":7 assigned >2 api")...)
	})
}

// TestElsewhere: changes that junctor did not make, while it runs and while it does not.
func TestElsewhere(t *testing.T) {
	run(t, func(w *world) {
		w.elsewhere("192.0.2.1", "")
		w.elsewhere("192.0.2.2", accountA)
		s := w.server()
		s.waitFor("192.0.2.2", ":1:1 assigned >2 elsewhere")
		w.elsewhere("192.0.2.1", accountA)
		s.waitFor("192.0.2.1", ":2:2 assigned >2 elsewhere")
		w.elsewhere("192.0.2.1", accountB)
		moved := []string{":2:2 assigned >2 elsewhere", ":3:3 moved 2>0 elsewhere"}
		s.waitFor("192.0.2.1", moved...)
		s.live()
		w.elsewhere(ip, accountA)
		seven := append(life[:6:6], ":6:7 assigned >2 elsewhere")
		s.waitFor(ip, seven...)
		s.stop()

		w.elsewhere("192.0.2.1", "")
		w.elsewhere("192.0.2.2", "-")
		w.elsewhere("192.0.2.3", "")
		w.elsewhere(ip, "")
		s = w.server()
		s.waitFor("192.0.2.1", append(moved, ":4:4 released 0> elsewhere")...)
		s.waitFor("192.0.2.2", ":1:1 assigned >2 elsewhere", ":2:2 deleted 2> elsewhere")
		s.waitFor("192.0.2.3", ":1:1 created > elsewhere")
		eight := append(seven[:7:7], ":6:8 released 2> elsewhere")
		s.waitFor(ip, eight...)
		s.assign(accountB, ip)
		s.waitFor(ip, append(eight[:8:8], ":7 assigned >0 api")...)
		s.create("192.0.2.2")
		s.waitFor("192.0.2.2", ":1:1 assigned >2 elsewhere", ":2:2 deleted 2> elsewhere", ":3 created > api")
	})
}

// TestElsewhereBefore: a change by others just before one of ours, which nobody has observed.
func TestElsewhereBefore(t *testing.T) {
	run(t, func(w *world) {
		s := w.process()
		s.create(ip)
		w.elsewhere(ip, accountA)
		s.release(accountA, ip)
		s.waitFor(ip, ":1 created > api", ":1:2 assigned >2 elsewhere", ":2 released 2> api")
		w.elsewhere("192.0.2.1", accountA)
		s.release(accountA, "192.0.2.1")
		s.waitFor("192.0.2.1", ":1:1 assigned >2 elsewhere", ":2 released 2> api")
	})
}

func TestPrune(t *testing.T) {
	run(t, func(w *world) {
		s := w.server()
		s.live()
		s.create("192.0.2.8")
		s.assign(accountA, "192.0.2.8")
		s.create("192.0.2.9")
		s.delete("192.0.2.9")
		s.waitFor("192.0.2.9", ":1 created > api", ":2 deleted > api") // which is the last
		done, err := s.log.Prune(t.Context(), gregorian+35, nil)
		if err != nil || done != (history.Pruned{Removed: 4}) {
			t.Errorf("%+v, %v", done, err)
		}
		s.waitFor(ip, life[4:]...)
		w.clock.Add(1000)
		done, err = s.log.Prune(t.Context(), gregorian+900, nil)
		if err != nil || done != (history.Pruned{Removed: 4, Kept: 2}) {
			t.Errorf("%+v, %v", done, err)
		}
		s.waitFor(ip, life[5])
		s.waitFor("192.0.2.8", ":2 assigned >2 api")
		s.stop()
		_, err = w.Update(t.Context(), history.Database, "checkpoint", func(doc document.Document) error {
			delete(doc, "since") // as after an import: all documents are compared again
			return nil
		})
		w.ok(err)
		s = w.server()
		s.assign(accountB, ip)
		s.waitFor(ip, life[5], ":7 assigned >0 api")
		if all := s.events(history.Filter{}); len(all) != 3 {
			t.Errorf("pruned events are back: %s", all)
		}
	})
}

// TestPruneAhead: a time in the future removes what there is, and nothing that is yet to come.
func TestPruneAhead(t *testing.T) {
	run(t, func(w *world) {
		s := w.server()
		s.create(ip)
		created := w.stored(ip)
		s.assign(accountA, ip)
		s.waitFor(ip, ":1 created > api", ":2 assigned >2 api")
		w.clock.Add(1)
		for range 2 {
			if _, err := s.log.Prune(t.Context(), gregorian+1_000_000, nil); err != nil {
				t.Fatal(err)
			}
			_, err := w.Update(t.Context(), history.Database, "checkpoint", func(doc document.Document) error {
				if pruned, _ := doc.Int("pruned"); pruned > gregorian+1000 {
					t.Errorf("events count as pruned until %d", pruned)
				}
				doc["pruned"] = document.Number(gregorian + 1_000_000) // as older versions wrote it
				return nil
			})
			w.ok(err)
		}
		_, err := s.log.Prune(t.Context(), gregorian-1, nil)
		w.ok(err)
		s.log.Observe(created) // as a feed that was read before
		s.release(accountA, ip)
		s.delete(ip)
		s.waitFor(ip, ":2 assigned >2 api", ":3 released 2> api", ":4 deleted > api")
	})
}

func TestAssignedByDay(t *testing.T) {
	run(t, func(w *world) {
		s := w.process()
		const day = 24 * 60 * 60
		s.create("192.0.2.1", "192.0.2.2", "192.0.2.3")
		s.assign(accountA, "192.0.2.1", "192.0.2.2")
		w.clock.Add(day)
		s.release(accountA, "192.0.2.1")
		w.clock.Add(2 * day)
		s.assign(accountB, "192.0.2.1", "192.0.2.3")
		s.delete("192.0.2.2")
		days, err := s.log.AssignedByDay(t.Context(), 2, 5)
		if got := fmt.Sprint(days); err != nil ||
			got != "[{2023-11-13 0} {2023-11-14 2} {2023-11-15 1} {2023-11-16 1} {2023-11-17 2}]" {
			t.Error(got, err)
		}
	})
}

// TestEarlierPool: after an import over a newer pool, and after a rebuild of one that was lost, changes have the numbers of
// others, from a moment before. All are in the history.
func TestEarlierPool(t *testing.T) {
	run(t, func(w *world) {
		for i, s := range []*server{w.server(), w.process()} {
			ip := fmt.Sprintf("192.0.2.%d", i)
			s.create(ip)
			earlier := w.stored(ip)
			want := []string{":1 created > api", ":2 assigned >2 api", ":3 released 2> api", ":4 assigned >2 api"}
			s.assign(accountA, ip)
			s.release(accountA, ip)
			s.assign(accountA, ip)
			s.waitFor(ip, want...)
			earlier["_rev"] = w.stored(ip).Rev()
			_, err := w.Put(t.Context(), dedicatedip.Database, earlier)
			w.ok(err)
			other := w.process()
			other.assign(accountB, ip)
			other.release(accountB, ip)
			at := kazoo.Gregorian(w.now())
			s.waitFor(ip, append(want, fmt.Sprintf(":2:%d assigned >0 api", at-10), fmt.Sprintf(":3:%d released 0> api", at))...)
		}
	})
}

// TestLosers: of two writers that a CouchDB has accepted over one revision, the history has the change of the one that won,
// in whichever order both are moved.
func TestLosers(t *testing.T) {
	if os.Getenv("JUNCTOR_TEST_COUCHDB") == "" {
		t.Skip("JUNCTOR_TEST_COUCHDB names no CouchDB")
	}
	w := newWorld(t, storetest.CouchDSN(t))
	writer := func(before document.Document, hash, holder string) document.Document {
		doc := before.Clone()
		doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", holder
		history.Record(doc, before, by, kazoo.Gregorian(w.now()))
		_, parent, _ := strings.Cut(before.Rev(), "-")
		doc["_rev"] = "2-" + hash
		doc["_revisions"] = map[string]any{"start": 2, "ids": []string{hash, parent}}
		body, err := json.Marshal(map[string]any{"new_edits": false, "docs": []any{doc}})
		w.ok(err)
		response, err := http.Post(storetest.CouchDSN(t)+"/"+url.PathEscape(w.Prefix+dedicatedip.Database)+"/_bulk_docs",
			"application/json", bytes.NewReader(body))
		w.ok(err)
		w.ok(response.Body.Close())
		delete(doc, "_revisions")
		return doc
	}
	for ip, winnerFirst := range map[string]bool{"192.0.2.1": true, "192.0.2.2": false} {
		w.process().create(ip)
		before := w.stored(ip)
		docs := []document.Document{writer(before, "aaaa", accountA), writer(before, "ffff", accountB)}
		w.ok(w.Delete(t.Context(), dedicatedip.Database, ip, docs[0].Rev()))
		if winnerFirst {
			slices.Reverse(docs)
		}
		for _, doc := range docs {
			s := w.process()
			s.log.Observe(doc)
			w.ok(s.log.Flush(t.Context()))
		}
		w.process().waitFor(ip, ":1 created > api", ":2 assigned >0 api")
	}
}

// TestUndone: a bulk that loses an entry has written others, and taken them back.
func TestUndone(t *testing.T) {
	run(t, func(w *world) {
		s := w.server()
		s.create("192.0.2.1", "192.0.2.2")
		other := w.process()
		_, err := s.Assign(t.Context(), dedicatedip.AssignRequest{
			Account: accountA, Addresses: []string{"192.0.2.1", "192.0.2.2"}, By: by,
			Approve: func(context.Context, int) error {
				if holder := w.stored("192.0.2.2")["pvt_assigned_to"]; holder == nil {
					other.assign(accountB, "192.0.2.2")
				}
				return nil
			},
		})
		if err == nil {
			t.Fatal("the bulk did not lose its entry")
		}
		s.waitFor("192.0.2.2", ":1 created > api", ":2 assigned >0 api")
		s.waitFor("192.0.2.1", ":1 created > api", ":2 assigned >2 api", ":3 released 2> api")
	})
}

// TestCreatedAndDeletedMeanwhile: a creation whose address others create and delete meanwhile is a conflict: its record
// would not go on from theirs. Afterwards it can be created.
func TestCreatedAndDeletedMeanwhile(t *testing.T) {
	run(t, func(w *world) {
		other := w.process()
		s := w.processOn(w.With(func(c storetest.Call, do func() error) error {
			if c.Name != "get deleted" {
				return do()
			}
			other.create(ip)
			defer other.delete(ip)
			return do()
		}))
		_, err := s.Create(t.Context(), dedicatedip.CreateRequest{Address: ip, Zone: "z", Host: "h", By: by})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("created: %v", err)
		}
		other.create(ip)
		other.waitFor(ip, ":1 created > api", ":2 deleted > api", ":3 created > api")
	})
}

// TestCheckpointFails: while the checkpoint can't be written, the log says so once, and says once that it can be again.
func TestCheckpointFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "memory:")
		var fails atomic.Bool
		var lines testutil.Log
		s := w.With(func(c storetest.Call, do func() error) error {
			if c.Name == "update" && fails.Load() {
				return fault.New(fault.DatastoreUnreachable, "")
			}
			return do()
		})
		log := history.New(s, w.now, zerolog.New(&lines))
		pool := dedicatedip.New(s, dedicatedip.Options{Now: w.now, History: log, Log: zerolog.Nop()})
		ctx, cancel := context.WithCancel(t.Context())
		var following sync.WaitGroup
		following.Go(func() { pool.Follow(ctx, time.Hour) })
		following.Go(func() { log.Run(ctx) })
		defer following.Wait()
		defer cancel()
		time.Sleep(time.Second)
		fails.Store(true)
		(&server{world: w, Pool: pool}).create(ip)
		time.Sleep(time.Minute)
		for said, want := range map[string]int{"can't be moved": 1, "moved to the history again": 0} {
			if n := strings.Count(lines.String(), said); n != want {
				t.Errorf("said %d times %q: %s", n, said, lines.String())
			}
		}
		fails.Store(false)
		time.Sleep(time.Minute)
		if n := strings.Count(lines.String(), "moved to the history again"); n != 1 {
			t.Errorf("said %d times that it works again: %s", n, lines.String())
		}
	})
}
