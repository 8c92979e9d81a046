package dedicatedip

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/poolindex"
	"junctor/pkg/testutil"
)

// drawCases are about requests that are in each other's way.
var drawCases = []testCase{
	{"draw all at once", drawsAll},
	{"draw and panic", drawsAndPanics},
	{"draw what is given back", drawsGivenBack},
	{"draw of no zone", drawsOfNoZone},
	{"draw past texts", drawsPastTexts},
	{"draw evenly", drawsEvenly},
}

// drawsAll: of several requests for all there is, one gets it.
func drawsAll(s *subject) {
	s.fill(20, "east", "west")
	for range 5 {
		var won atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_, err := s.Allocate(s.Context(), wish(40))
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Busy): // on a slow machine
					s.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			s.Fatalf("%d requests got all", won.Load())
		}
		s.ok(outcome(s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	}
}

// drawsAndPanics: whatever becomes of a request, others can draw what it had drawn.
func drawsAndPanics(s *subject) {
	s.fill(3, "east")
	p := s.with(when("get many", Database, 1, func(func() error) error { panic("out of order") }))
	func() {
		defer func() { _ = recover() }()
		_, _ = p.Allocate(s.Context(), wish(3))
		s.Error("nothing was out of order")
	}()
	if n := p.reserved.Len(); n > 0 {
		s.Fatalf("%d addresses stay reserved", n)
	}
	s.ok(outcome(p.Allocate(s.Context(), wish(3))))
}

// drawsGivenBack: another process takes one address on the way, and gives it back when it finds too few.
func drawsGivenBack(s *subject) {
	s.fill(5, "east")
	other := s.pool(s.s, io.Discard)
	var puts int64
	p := s.with(onPuts(func(nth int64, do func() error) error {
		if puts = nth; nth == 1 {
			s.ok(s.assign(other, accountB, "10.0.0.3"))
		}
		err := do()
		if nth == 2 {
			s.ok(s.release(other, accountB, "10.0.0.3"))
		}
		return err
	}))
	ips, err := p.Allocate(s.Context(), wish(5))
	s.ok(err)
	if len(ips) != 5 || puts != 3 {
		s.Errorf("%s after %d writes", idsText(ips), puts)
	}
	s.copies(accountA, idsOf(ips)...)
	s.copies(accountB)
}

// drawsOfNoZone: an address without a zone is one of those that are spread over.
func drawsOfNoZone(s *subject) {
	s.fill(2, "east")
	s.put(`{"_id":"10.9.0.1","pvt_type":"dedicated_ip","pvt_status":"available","pvt_host":"h1"}`)
	_, err := s.Allocate(s.Context(), wish(4, spread))
	testutil.RequireFault(s, err, fault.Conflict)
	if e, ok := err.(*fault.Error); !ok || e.Data.(map[string]any)["available"] != 3 {
		s.Errorf("says %+v", err)
	}
	s.ok(outcome(s.Allocate(s.Context(), wish(3, spread))))
}

// drawsPastTexts: what is no address does not count, however much of it comes first.
func drawsPastTexts(s *subject) {
	s.fill(2, "east")
	var texts []string
	for n := range 2 * spareLots {
		texts = append(texts, fmt.Sprint("!", n))
	}
	s.freeIn("east", texts...)
	ips, err := s.Allocate(s.Context(), wish(2))
	s.ok(err)
	if idsText(ips) != "10.0.0.0 10.0.0.1" {
		s.Errorf("got %s", idsText(ips))
	}
}

// drawsEvenly: parts are equal where memory has only some of what is drawn, and the store the rest.
func drawsEvenly(s *subject) {
	lots := func(zones ...string) (lots []poolindex.Lot) {
		for _, zone := range zones {
			lots = append(lots, poolindex.Lot{Zone: zone, Length: 10, ID: func(at int) string { return fmt.Sprint(zone, at) }})
		}
		return lots
	}
	won := write{after: IP{document.Document{fieldZone: "c"}}}
	a := &allocation{Pool: s.Pool, AllocateRequest: wish(1, spread), writes: []write{won}}
	a.drawFrom(lots("a"), 3)
	a.drawFrom(lots("a", "b", "c"), 8)
	parts := map[string]int{}
	for _, spot := range a.drawn {
		parts[spot.Zone]++
	}
	if parts["a"] != 3 || parts["b"] != 3 || parts["c"] != 2 {
		s.Errorf("drew %v", parts)
	}
}
