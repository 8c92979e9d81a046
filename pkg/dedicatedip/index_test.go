package dedicatedip

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

var indexCases = []testCase{
	{"index agrees with views", indexAgrees},
	{"incomplete documents", incompleteDocuments},
	{"feed cut", feedCut},
	{"overtaken copy", overtakenCopy},
	{"overtaken copy while the feed is silent", overtakenInSilence},
	{"overtaken copy, and written again", overtakenAndWritten},
}

// indexAgrees writes random documents past the pool, as other processes do, and compares every listing from memory
// with the views.
func indexAgrees(s *subject) {
	direct, r := s.pool(s.s, io.Discard), rand.New(rand.NewPCG(1, 2))
	following := s.following(s.pool(s.s, io.Discard))
	revs := map[string]string{}
	for round := range 12 {
		for range 15 {
			id := randomID(r)
			doc := randomDocument(r, id, revs[id])
			rev, err := s.s.Put(s.Context(), Database, doc)
			s.ok(err)
			if revs[id] = rev; doc.Bool("_deleted") {
				delete(revs, id)
			}
		}
		s.caughtUp(following)
		if !following.FromMemory() {
			s.Fatal("reads do not come from memory")
		}
		before, _ := following.Memory()
		s.agree(round, following, direct)
		if after, _ := following.Memory(); after.Bypassed != before.Bypassed {
			s.Fatalf("%d reads went to the store", after.Bypassed-before.Bypassed)
		}
	}
}

// caughtUp waits until a pool knows all that was written before.
func (s *subject) caughtUp(p *Pool) {
	s.Helper()
	now := time.Now()
	testutil.Eventually(s, "caught up", func() bool { return p.memory.Load().mirror.AsOf().After(now) })
}

func randomID(r *rand.Rand) string {
	n := r.IntN(30)
	return []string{"10.0.0." + strconv.Itoa(n), "::ffff:10.0.0." + strconv.Itoa(n), "2001:db8::" + strconv.Itoa(n),
		"2001:DB8::" + strconv.Itoa(n), "text" + strconv.Itoa(n)}[r.IntN(5)]
}

func randomDocument(r *rand.Rand, id, rev string) document.Document {
	pick := func(of ...any) any { return of[r.IntN(len(of))] }
	doc := document.Document{
		"_id": id, "pvt_type": pick("dedicated_ip", "dedicated_ip", "dedicated_ip", "dedicated_ip", "device"),
		"pvt_zone": pick("east", "northwest", "south", "local", nil), "pvt_host": pick("h1", "h2", "proxy.h3"),
		"pvt_status": pick("available", "available", "assigned", "assigned", "retired"),
	}
	if doc["pvt_status"] == "assigned" || r.IntN(5) == 0 {
		doc["pvt_assigned_to"] = pick(accountA, accountA, accountB, "")
	}
	if doc["pvt_assigned_to"] == "" {
		delete(doc, "pvt_assigned_to")
	}
	if r.IntN(10) == 0 {
		doc["pvt_deleted"] = pick(true, false)
	}
	if rev != "" {
		doc["_rev"] = rev
		if r.IntN(6) == 0 {
			return document.Document{"_id": id, "_rev": rev, "_deleted": true}
		}
	}
	return doc
}

// agree compares what two pools return for every read.
func (s *subject) agree(round int, a, b *Pool) {
	s.Helper()
	compare := func(what string, read func(*Pool) (any, error)) {
		s.Helper()
		x, err := read(a)
		s.ok(err)
		y, err := read(b)
		s.ok(err)
		if !reflect.DeepEqual(x, y) {
			s.Fatalf("round %d, %s:\n%v\n%v", round, what, x, y)
		}
	}
	ctx := s.Context()
	for _, id := range []string{accountA, accountB, accountC} {
		compare("assigned "+id, func(p *Pool) (any, error) {
			items, err := p.Read().Assigned(ctx, id)
			return items, err
		})
	}
	compare("all assigned", func(p *Pool) (any, error) { return p.Read().AssignedAll(ctx) })
	compare("zones", func(p *Pool) (any, error) {
		names, err := p.Read().Zones(ctx)
		return names, err
	})
	compare("hosts", func(p *Pool) (any, error) {
		names, err := p.Read().Hosts(ctx)
		return names, err
	})
	for _, p := range []*Pool{a, b} {
		if sizes, known := p.Counts(); known && !maps.Equal(sizes, s.sizes()) {
			s.Fatalf("round %d, counts:\n%v\n%v", round, sizes, s.sizes())
		}
	}
	for _, f := range []Filter{{}, {Zone: "east"}, {Zone: "ea\u00adst"}, {Zone: "Zürich", PageSize: 2}, {Zone: "nowhere"}, {Quantity: 7}, {PageSize: 3}, {PageSize: 1000},
		{Zone: "local", PageSize: 2, Quantity: 3}, {PageSize: 4, Quantity: 9}} {
		compare(fmt.Sprintf("available %+v", f), func(p *Pool) (any, error) { return walk(ctx, p, f) })
	}
	for n := range 5 {
		for _, form := range []string{"10.0.0.%d", "::ffff:10.0.0.%d", "2001:db8::%d", "2001:DB8::%d", "text%d",
			"2001:0db8:0::%d"} {
			text := fmt.Sprintf(form, (5*round+n)%30)
			compare("get "+text, func(p *Pool) (any, error) {
				address, err := p.Read().Get(ctx, text)
				if fault.Is(err, fault.BadIdentifier) {
					return "unknown", nil
				}
				return address, err
			})
		}
	}
}

// walk reads a listing page by page, and returns the pages.
func walk(ctx context.Context, p *Pool, f Filter) (pages []Page, err error) {
	for {
		page, err := p.Read().Available(ctx, f)
		pages = append(pages, page)
		if f.StartKey = page.Next; err != nil || f.StartKey == "" {
			return pages, err
		}
	}
}

// incompleteDocuments: what a document lacks is read from memory as the views list it.
func incompleteDocuments(s *subject) {
	following := s.following(s.pool(s.s, s.Output()))
	s.free("10.0.0.1")
	s.put(dedicated("10.0.0.2", "", ""), dedicated("10.0.0.3", "", accountA),
		`{"_id":"10.0.0.4","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"z1"}`,
		`{"_id":"10.0.0.5","pvt_type":"dedicated_ip","pvt_status":"assigned","pvt_assigned_to":null}`,
		`{"_id":"10.0.0.6","pvt_type":"dedicated_ip","pvt_zone":"z1","pvt_host":7}`,
		`{"_id":"10.0.0.7","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"z1","pvt_deleted":"true"}`)
	s.caughtUp(following)
	s.agree(0, following, s.pool(s.s, io.Discard))
	if look, _ := following.Memory(); look.Bypassed > 0 {
		s.Errorf("%d reads went to the store", look.Bypassed)
	}
}

// deaf is a store whose feed is silent from some time on.
type deaf struct {
	storetest.Apart
	from context.Context
}

func (d deaf) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	return d.Apart.Changes(ctx, db, since, func(c store.Change) error {
		if d.from.Err() != nil {
			<-ctx.Done()
			return ctx.Err()
		}
		return each(c)
	}, func(asOf time.Time) {
		if d.from.Err() == nil {
			current(asOf)
		}
	})
}

// feedCut: with a feed that says nothing any more, reads are right after the time that was agreed on, and soon from
// memory again once it speaks.
func feedCut(s *subject) {
	cut, cancel := context.WithCancel(s.Context())
	defer cancel()
	p := s.pool(deaf{s.s, cut}, s.Output())
	ctx, stop := context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Follow(ctx, 2*time.Second)
	}()
	defer func() { stop(); <-done }()
	testutil.Eventually(s, "loaded", p.FromMemory)
	s.free("10.0.0.1")
	testutil.Eventually(s, "heard", func() bool { _, err := p.Read().Get(s.Context(), "10.0.0.1"); return err == nil })
	cancel()
	s.free("10.0.0.2")
	testutil.Eventually(s, "behind", func() bool { return !p.FromMemory() })
	s.agree(0, p, s.pool(s.s, io.Discard))
	if look, _ := p.Memory(); look.Age < 2*time.Second || look.Bypassed == 0 {
		s.Errorf("says %+v", look)
	}
}

// overtaken returns a pool whose first copy is overtaken: between its write to the pool and the copy, another process
// releases the address 10.0.0.1, and finds no copy to remove. cut silences the feed of the pool.
func (s *subject) overtaken() (p *Pool, cut context.CancelFunc) {
	s.Helper()
	other := s.pool(s.s, io.Discard)
	s.free("10.0.0.1")
	from, cut := context.WithCancel(s.Context())
	s.Cleanup(cut)
	released := when("put", s.accountDB(accountA), 1, preceded(func() {
		s.ok(s.release(other, accountA, "10.0.0.1"))
	}))
	p = s.following(s.poolWith(deaf{s.s.With(released), from}, Options{Copies: soon}))
	s.caughtUp(p)
	return p, cut
}

// overtakenCopy: the feed delivers the release.
func overtakenCopy(s *subject) {
	p, _ := s.overtaken()
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.withoutCopy()
}

// overtakenInSilence: while the feed is silent, the store is read.
func overtakenInSilence(s *subject) {
	p, cut := s.overtaken()
	cut()
	doc := s.stored(Database, "10.0.0.1")
	testutil.Eventually(s, "silent", func() bool { return !p.isCurrent(doc) })
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.withoutCopy()
}

func (s *subject) withoutCopy() {
	s.Helper()
	testutil.Eventually(s, "without a copy", func() bool { return s.stored(s.accountDB(accountA), "10.0.0.1") == nil })
	s.holds("10.0.0.1")
}

// overtakenAndWritten: this process learns of the release when it assigns the address to another account, before the feed
// delivers it. The feed does not deliver it after that.
func overtakenAndWritten(s *subject) {
	p, cut := s.overtaken()
	cut()
	s.ok(s.assign(p, accountA, "10.0.0.1"))
	s.ok(s.assign(p, accountB, "10.0.0.1"))
	s.becomes("10.0.0.1=" + accountB)
}

// soon is for pools that are not to leave others the usual time to write copies themselves.
var soon = projection.Options{Settle: 30 * time.Millisecond}

// TestNothingReadOfOwnWrites: while a process writes an address again and again, it does not read its document or its
// copies to see whether another process has.
func TestNothingReadOfOwnWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // so that the feed is not taken for silent on a slow machine
		s := newSubject(t, storetest.Open(t, "memory:"))
		s.free("10.0.0.1")
		var reads atomic.Int64
		p := s.following(s.with(func(c storetest.Call, do func() error) error {
			if c.Name == "get many" {
				reads.Add(1)
			}
			return do()
		}))
		s.ok(s.assign(p, accountA, "10.0.0.1")) // is read once
		before := reads.Load()
		for range 50 {
			s.ok(s.release(p, accountA, "10.0.0.1"))
			s.ok(s.assign(p, accountA, "10.0.0.1"))
			time.Sleep(20 * time.Millisecond)
		}
		if more := reads.Load() - before; more > 0 {
			s.Errorf("read %d times", more)
		}
		s.holds("10.0.0.1=" + accountA)
	})
}

// TestCollation: zones that are not plain text come in the order of the views. PouchDB orders texts in its own way.
func TestCollation(t *testing.T) {
	t.Parallel()
	stores := map[string]func() *store.Store{"memory": func() *store.Store { return storetest.Open(t, "memory:") }}
	if os.Getenv("JUNCTOR_TEST_COUCHDB") != "" {
		stores["couchdb"] = func() *store.Store { return storetest.Open(t, storetest.FreshCouch(t)) }
	}
	for name, on := range stores {
		t.Run(name, func(t *testing.T) {
			s := newSubject(t, on())
			following := s.following(s.pool(s.s, io.Discard))
			for i, zone := range []string{"a", "A", "b", "B", "ä", "z", "é", "e", "É", "-a", "_a", "1", "10", "2", " ",
				"aa", "日本", "Ω", "a b", "a-b", "ab", "ß", "ss", "東", "ea\u200bst", "east", "ea\u00adst", "Zu\u0308rich", "Zürich",
				"ea\u00adst", "Zürich", "east", "ea\u200bst", "Zürich", "ea\u0001st", "ea\u00adst", "east"} {
				s.put(jsonText(s, document.Document{"_id": fmt.Sprintf("10.0.0.%d", i), "pvt_type": documentType,
					"pvt_zone": zone, "pvt_host": zone + "h", "pvt_status": available}))
			}
			s.caughtUp(following)
			s.agree(0, following, s.pool(s.s, io.Discard))
		})
	}
}
