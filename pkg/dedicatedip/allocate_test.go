package dedicatedip

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

var allocateCases = []testCase{
	{"allocate", allocates},
	{"allocate spread", spreads},
	{"allocate too many", tooMany},
	{"allocate and fail", allocationFails},
}

// contentionCases bring their own pools that follow.
var contentionCases = []testCase{
	{"allocate at once", allocatesAtOnce},
	{"allocate to the last", allocatesToTheLast},
	{"allocate what memory does not know", allocatesUnheard},
	{"allocate where memory is behind", allocatesBehind},
}

// wish is a request for addresses for account A.
func wish(quantity int, change ...func(*AllocateRequest)) AllocateRequest {
	r := AllocateRequest{Account: accountA, Quantity: quantity}
	for _, each := range change {
		each(&r)
	}
	return r
}

func inOneZone(zone string) func(*AllocateRequest) { return func(r *AllocateRequest) { r.Zone = zone } }

func spread(r *AllocateRequest) { r.Spread = true }

func to(account string) func(*AllocateRequest) {
	return func(r *AllocateRequest) { r.Account = account }
}

// fill makes so many addresses available in each of some zones: 10.N.0.0 and up are of the Nth.
func (s *subject) fill(count int, zones ...string) {
	s.Helper()
	for n, zone := range zones {
		var ids []string
		for i := range count {
			ids = append(ids, fmt.Sprintf("10.%d.%d.%d", n, i/256, i%256))
		}
		s.freeIn(zone, ids...)
	}
}

// zonesOf counts addresses by zone.
func zonesOf(ips []IP) map[string]int {
	count := map[string]int{}
	for _, ip := range ips {
		count[ip.Address().Zone]++
	}
	return count
}

func allocates(s *subject) {
	s.fill(20, "east", "west")
	ips, err := s.Allocate(s.Context(), wish(3))
	s.ok(err)
	more, err := s.Allocate(s.Context(), wish(5, inOneZone("west")))
	s.ok(err)
	if len(ips) != 3 || len(more) != 5 || zonesOf(more)["west"] != 5 {
		s.Errorf("%s and %s", idsText(ips), idsText(more))
	}
	s.copies(accountA, append(idsOf(ips), idsOf(more)...)...)
	held, err := s.Read().Assigned(s.Context(), accountA)
	s.ok(err)
	if len(held) != 8 {
		s.Errorf("has %v", held)
	}
	for _, ip := range ips {
		if doc := s.stored(Database, ip.ID()); doc.Rev() != ip.Revision() || doc.String(fieldAssignedTo) != accountA {
			s.Errorf("returned %v, stored %v", ip.doc, doc)
		}
	}
}

// spreads: parts are equal, and a zone that has too few gives what it has.
func spreads(s *subject) {
	s.fill(6, "a", "b", "c")
	s.free("10.9.0.1")
	s.ok(s.assign(s.Pool, accountB, "10.9.0.1"))
	first, err := s.Allocate(s.Context(), wish(8, spread))
	s.ok(err)
	for zone, n := range zonesOf(first) {
		if n < 2 || n > 3 {
			s.Errorf("%d of zone %s", n, zone)
		}
	}
	one, err := s.Allocate(s.Context(), wish(3, inOneZone("a"), spread, to(accountB)))
	s.ok(err)
	if zonesOf(one)["a"] != 3 {
		s.Errorf("of one zone: %s", idsText(one))
	}
	rest, err := s.Allocate(s.Context(), wish(7, spread))
	s.ok(err)
	if len(zonesOf(first)) != 3 || len(rest) != 7 {
		s.Errorf("%v, then %v", zonesOf(first), zonesOf(rest))
	}
}

// tooMany: nothing stays assigned, and the error says how many there are.
func tooMany(s *subject) {
	s.fill(4, "east", "west")
	for zone, available := range map[string]int{"": 8, "east": 4} {
		_, err := s.Allocate(s.Context(), wish(9, inOneZone(zone)))
		testutil.RequireFault(s, err, fault.Conflict)
		if e, ok := err.(*fault.Error); !ok || e.Data.(map[string]any)["available"] != available {
			s.Errorf("zone %q: %+v", zone, err)
		}
	}
	testutil.RequireFault(s, outcome(s.Allocate(s.Context(), wish(1, inOneZone("nowhere")))), fault.Invalid)
	testutil.RequireFault(s, outcome(s.Allocate(s.Context(), wish(9, spread))), fault.Conflict)
	s.copies(accountA)
	if sizes := s.sizes(); sizes[[2]string{"east", available}] != 4 {
		s.Error(sizes)
	}
	s.ok(outcome(s.Allocate(s.Context(), wish(8))))
}

// rush lets clients of several pools each make so many requests for one address, and returns what they got.
func (s *subject) rush(pools []*Pool, clients, requests int, zone string) []string {
	s.Helper()
	got := make([][]string, clients)
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			r := wish(1, inOneZone(zone), to([]string{accountA, accountB, accountC}[c%3]))
			for range requests {
				ips, err := pools[c%len(pools)].Allocate(s.Context(), r)
				for fault.Is(err, fault.Busy) && s.Context().Err() == nil { // the machine is too slow for a round
					ips, err = pools[c%len(pools)].Allocate(s.Context(), r)
				}
				if err != nil || len(ips) != 1 {
					s.Errorf("client %d: %d addresses, %v", c, len(ips), err)
					return
				}
				got[c] = append(got[c], ips[0].ID())
			}
		})
	}
	group.Wait()
	var all []string
	seen := map[string]bool{}
	for _, ids := range got {
		for _, id := range ids {
			if seen[id] {
				s.Errorf("%s was given away twice", id)
			}
			seen[id] = true
			all = append(all, id)
		}
	}
	return all
}

// counted is a pool on the same store that counts its writes to the pool's database.
func (s *subject) counted(writes *atomic.Int64) *Pool {
	return s.with(onPuts(func(_ int64, do func() error) error {
		writes.Add(1)
		return do()
	}))
}

// onPeer reports whether a test runs on the peer that stands for a CouchDB: it does one thing at a time, and a store waits
// five seconds for a call.
func (s *subject) onPeer() bool {
	return strings.HasPrefix(s.Name(), "TestCouchDB/") && os.Getenv("JUNCTOR_TEST_COUCHDB") == ""
}

// requestsEach returns how many requests a client makes: as many as JUNCTOR_TEST_ALLOCATIONS says, or a few.
func requestsEach(s *subject) int {
	s.Helper()
	if text := os.Getenv("JUNCTOR_TEST_ALLOCATIONS"); text != "" {
		requests, err := strconv.Atoi(text)
		s.ok(err)
		return requests
	}
	if testing.Short() {
		return 2
	}
	return 10
}

// allocatesAtOnce: many clients of two processes each get their own, with hardly more writes than addresses.
func allocatesAtOnce(s *subject) {
	clients, requests := 64, requestsEach(s)
	if s.onPeer() {
		clients, requests = 8, 3
	}
	s.fill(max(5*clients*requests, 300), "east") // few are drawn by both processes, even if they hear late of each other
	var writes atomic.Int64
	pools := []*Pool{s.following(s.counted(&writes)), s.following(s.counted(&writes))}
	begun := time.Now()
	all := s.rush(pools, clients, requests, "east")
	took := time.Since(begun)
	perAddress := float64(writes.Load()) / float64(len(all))
	if len(all) != clients*requests || perAddress > 1.2 {
		s.Errorf("%d addresses with %.2f writes each", len(all), perAddress)
	}
	s.Logf("%d addresses in %v with %.3f writes each", len(all), took, perAddress)
}

// allocatesToTheLast: no request is refused as long as there are enough for all.
func allocatesToTheLast(s *subject) {
	clients, requests := 12, 4
	if s.onPeer() {
		clients = 6
	}
	s.fill(clients*requests, "east")
	pools := []*Pool{s.following(s.pool(s.s, io.Discard)), s.pool(s.s, io.Discard), s.Pool}
	if all := s.rush(pools, clients, requests, ""); len(all) != clients*requests {
		s.Errorf("%d addresses of %d", len(all), clients*requests)
	}
	testutil.RequireFault(s, outcome(s.Allocate(s.Context(), wish(1))), fault.Conflict)
	for _, p := range pools {
		testutil.Eventually(s, "nothing is reserved", func() bool { return p.reserved.Len() == 0 })
	}
}

// allocationFails: what was assigned on the way to a failure is given back.
func allocationFails(s *subject) {
	s.fill(10, "east")
	p := s.with(when("put", Database, 1, responseLost))
	testutil.RequireFault(s, outcome(p.Allocate(s.Context(), wish(5))), fault.DatastoreUnreachable)
	s.copies(accountA)
	if sizes := s.sizes(); sizes[[2]string{"east", available}] != 10 {
		s.Error(sizes)
	}
}

// allocatesUnheard: what the feed has not delivered yet is found in the store.
func allocatesUnheard(s *subject) {
	p := s.following(s.pool(s.s, io.Discard))
	s.free("10.0.0.1", "10.0.0.2")
	ips, err := p.Allocate(s.Context(), wish(2))
	s.ok(err)
	if idsText(ips) != "10.0.0.1 10.0.0.2" {
		s.Errorf("got %s", idsText(ips))
	}
	s.copies(accountA, "10.0.0.1", "10.0.0.2")
}

// allocatesBehind: once memory has shown an address that another process has taken, the store says what is left.
func allocatesBehind(s *subject) {
	s.fill(50, "east")
	cut, cancel := context.WithCancel(s.Context())
	defer cancel()
	var reads atomic.Int64
	p := s.following(s.pool(deaf{s.s.With(func(c storetest.Call, do func() error) error {
		if c.Name == "get many" && c.DB == Database {
			reads.Add(1)
		}
		return do()
	}), cut}, io.Discard))
	cancel()
	_, err := s.Allocate(s.Context(), wish(49, to(accountB)))
	s.ok(err)
	allocate := func() (ips []IP, err error) {
		for range 3 { // a slow machine may take too long for a round
			reads.Store(0)
			if ips, err = p.Allocate(s.Context(), wish(1)); !fault.Is(err, fault.Busy) {
				break
			}
		}
		return ips, err
	}
	ips, err := allocate()
	s.ok(err)
	if n := reads.Load(); len(ips) != 1 || n > memoryRounds+1 {
		s.Errorf("got %s after %d reads of documents", idsText(ips), n)
	}
	testutil.RequireFault(s, outcome(allocate()), fault.Conflict)
}

var _ Store = (*store.Store)(nil)
