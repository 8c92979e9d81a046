package dedicatedip

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

var reconcileCases = []testCase{
	{"reconcile windows in a pass", windowsInPass},
	{"reconcile windows while running", windowsRunning},
	{"reconcile edited copies", editedCopies},
	{"reconcile through Kazoo's views", throughKazoosViews},
	{"reconcile without views", withoutViews},
	{"reconcile pages of accounts", pagesOfAccounts},
	{"reconcile accounts that repeat themselves", passWithoutProgress},
	{"reconcile stops before it removes many copies", passStops},
	{"reconcile removes what was released", passRemovesReleased},
	{"reconcile leaves contested copies", passSparesContested},
	{"reconcile twice at once", twiceAtOnce},
	{"reconcile abandoned addresses", abandonedAddresses},
}

// testReconciler is a Reconciler under test, with what it did.
type testReconciler struct {
	*projection.Reconciler
	store reconcilerStore
	*Pool
	mu     sync.Mutex
	counts map[string]int
	passed []string
	log    testutil.Log
}

// reconcilerStore is what a process with a pool and a Reconciler needs of a store.
type reconcilerStore interface {
	Store
	pooldb.Installer
	projection.ReconcilerStore
}

// reconciler is one more process. Its clock is the machine's.
func (s *subject) reconciler() *testReconciler {
	s.Helper()
	return s.reconcilerOn(s.s, projection.ReconcilerOptions{})
}

func (s *subject) reconcilerOn(on reconcilerStore, o projection.ReconcilerOptions) *testReconciler {
	s.Helper()
	h := &testReconciler{store: on, counts: map[string]int{}}
	count := func(kind string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.counts[kind]++
	}
	o.Passed = func(result string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.passed = append(h.passed, result)
	}
	h.Pool = s.poolWith(on, Options{
		Now: time.Now, Log: zerolog.New(&h.log), Copies: projection.Options{
			Repaired: count, Abandoned: func() { count("abandoned") }, Settle: 30 * time.Millisecond,
		},
	})
	h.Reconciler = projection.NewReconciler(h.Projector(), on, o)
	return h
}

func (h *testReconciler) counted() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprint(h.counts)
}

// running runs a process that repairs copies until the test ends.
func (s *subject) running(h *testReconciler) {
	ctx, cancel := context.WithCancel(s.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Follow(ctx, time.Hour) })
	running.Go(func() { h.Projector().Run(ctx) })
	running.Go(func() { h.Run(ctx) })
	s.Cleanup(func() { cancel(); running.Wait() })
	testutil.Eventually(s, "loaded", h.FromMemory) // what others write from here on is observed
}

func (s *subject) counts(h *testReconciler, want map[string]int) {
	s.Helper()
	if got := h.counted(); got != fmt.Sprint(want) {
		s.Errorf("counted %s, want %v", got, want)
	}
	lines := 0
	for _, n := range want {
		lines += n
	}
	if got := strings.Count(h.log.String(), "repaired an account's copy"); got != lines-want["abandoned"] {
		s.Errorf("%d lines, want %d: %s", got, lines-want["abandoned"], h.log.String())
	}
}

// passed checks how the full passes ended.
func (s *subject) passed(h *testReconciler, want ...string) {
	s.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.passed, want) {
		s.Errorf("passes ended %v, want %v", h.passed, want)
	}
}

// write changes a document behind the pool's back.
func (s *subject) write(db, id string, change func(document.Document)) {
	s.Helper()
	_, err := s.s.Update(s.Context(), db, id, func(doc document.Document) error {
		change(doc)
		return nil
	})
	s.ok(err)
}

func assigning(to string) func(document.Document) {
	return func(doc document.Document) { doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", to }
}

// windows are what is left behind by a process that dies between its two writes, by all ways that have been seen
// (kazoo-ips.md 1.4): 10.0.0.1 assigned and not copied, 10.0.0.2 released and still copied, 10.0.0.3 deleted and still
// copied, 10.0.0.4 given to another account and still copied in the first. 10.0.0.5 has a stale copy.
func (s *subject) windows() {
	// What the requests return is lost with their process.
	_ = s.assign(s.dying(), accountA, "10.0.0.1")
	_ = s.release(s.dying(), accountA, "10.0.0.2")
	_ = s.dying().Remove(s.Context(), DeleteRequest{Address: "10.0.0.3"})
	_ = s.release(s.dying(), accountA, "10.0.0.4")
	_ = s.assign(s.dying(), accountB, "10.0.0.4")
	s.write(Database, "10.0.0.5", func(doc document.Document) { doc["pvt_host"] = "moved" })
}

// dying is the pool of a process that ends with its first write to the pool: the write is made, and then nothing any more.
func (s *subject) dying() *Pool {
	dead := false
	return s.impatient(func(c storetest.Call, do func() error) error {
		if dead {
			return errUnplugged
		}
		dead = c.Name == "put"
		return do()
	}, &testutil.Log{})
}

// impatient is with, for copies that are never written: requests do not wait for them.
func (s *subject) impatient(h storetest.Hook, log *testutil.Log) *Pool {
	return s.poolWith(s.s.With(h), Options{
		Log: zerolog.New(log), Copies: projection.Options{Patience: time.Millisecond},
	})
}

// before is the state in which the windows open.
func (s *subject) before() {
	s.free("10.0.0.1")
	s.give(accountA, "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5")
	s.listAccounts(accountA, accountB, accountC)
}

// listAccounts writes accounts into the database of all accounts and into their own, as Kazoo does, with its views.
func (s *subject) listAccounts(ids ...string) {
	s.Helper()
	s.writeAccounts(ids...)
	s.putMany(kazoo.Accounts, testutil.KazooViews(s, "accounts"))
	for _, id := range ids {
		s.putMany(s.accountDB(id), testutil.KazooViews(s, testutil.AccountViews, "services"))
	}
}

// writeAccounts does without Kazoo's views.
func (s *subject) writeAccounts(ids ...string) {
	s.Helper()
	s.ok(s.s.CreateDatabase(s.Context(), kazoo.Accounts))
	for _, id := range ids {
		doc := testutil.KazooDocument(s, kazoo.Accounts, id)
		s.putMany(kazoo.Accounts, []document.Document{doc})
		s.putMany(s.accountDB(id), []document.Document{doc})
	}
}

var afterWindows = map[string]int{projection.CopyCreated: 2, projection.CopyUpdated: 1, projection.CopyRemoved: 3}

func (s *subject) healed() {
	s.Helper()
	s.holds("10.0.0.1="+accountA, "10.0.0.2", "10.0.0.4="+accountB, "10.0.0.5="+accountA)
}

// windowsInPass: what happened while no Reconciler ran. A survey finds what a pass then repairs.
func windowsInPass(s *subject) {
	s.before()
	s.windows()
	if found := s.survey(10); found.Missing.Count != 2 || found.Stale.Count != 1 || found.LeftOver.Count != 3 || !found.All {
		s.Errorf("surveyed %+v", found)
	}
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.healed()
	s.counts(h, afterWindows)
}

// windowsRunning: what happens while one does, without any further pass.
func windowsRunning(s *subject) {
	s.before()
	h := s.reconciler()
	s.running(h)
	testutil.Eventually(s, "the first pass", func() bool {
		return s.stored(projection.StateDatabase, projection.StateID)["pass_began"] != nil
	})
	s.windows()
	testutil.Eventually(s, "all windows healed", func() bool { return h.counted() == fmt.Sprint(afterWindows) })
	s.healed()
	s.counts(h, afterWindows)
	if doc := s.stored(Database, projection.StateID); doc != nil {
		s.Errorf("the state of full passes is in the database whose feed is followed: %v", doc)
	}
}

// twiceAtOnce: each repair is made once, and two passes never run at a time.
func twiceAtOnce(s *subject) {
	s.before()
	var mu sync.Mutex
	inside, passes, crowded := map[int]bool{}, 0, false
	var reconcilers []*testReconciler
	for i := range 2 {
		reads := func(begun bool) {
			mu.Lock()
			defer mu.Unlock()
			if inside[i] = begun; begun {
				passes++
			}
			crowded = crowded || inside[0] && inside[1]
		}
		h := s.reconcilerOn(s.s.With(func(c storetest.Call, do func() error) error {
			if c.Name == "all" && c.DB == kazoo.Accounts {
				reads(true)
				defer reads(false)
			}
			return do()
		}), projection.ReconcilerOptions{})
		reconcilers = append(reconcilers, h)
		s.running(h)
	}
	s.windows()
	total := func() map[string]int {
		sum := map[string]int{}
		for _, h := range reconcilers {
			h.mu.Lock()
			for kind, n := range h.counts {
				sum[kind] += n
			}
			h.mu.Unlock()
		}
		return sum
	}
	testutil.Eventually(s, "all windows healed", func() bool { return fmt.Sprint(total()) == fmt.Sprint(afterWindows) })
	for range 3 {
		s.ok(reconcilers[0].Repair(s.Context(), false))
		s.ok(reconcilers[1].Repair(s.Context(), false))
	}
	s.healed()
	if got := total(); fmt.Sprint(got) != fmt.Sprint(afterWindows) {
		s.Errorf("repaired %v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if passes < 6 || crowded {
		s.Errorf("%d passes, two at once: %t", passes, crowded)
	}
}
