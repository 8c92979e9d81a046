package dedicatedip

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

var raceCases = []testCase{
	{"one winner", oneWinner},
	{"overlapping bulks", overlappingBulks},
	{"assign and release at once", assignAndRelease},
	{"create at once", createAtOnce},
}

// atOnce starts n functions together, half of them on another pool on the same store, and waits for them.
func (s *subject) atOnce(n int, do func(i int, p *Pool)) {
	s.Helper()
	pools := []*Pool{s.Pool, s.pool(s.s, s.Output())}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			do(i, pools[i%2])
		})
	}
	close(start)
	all.Wait()
}

// oneWinner: one request succeeds, and the errors of all others say what the address is for their account now.
func oneWinner(s *subject) {
	s.free("10.0.0.1")
	accounts := []string{accountA, accountB, accountC}
	requests := 200
	if s.onPeer() {
		requests = 30
	}
	errs := make([]error, requests)
	var won atomic.Int64
	s.atOnce(len(errs), func(i int, p *Pool) {
		ip, err := single(p.Assign(s.Context(), toAssign(accounts[i%3], "10.0.0.1")))
		if errs[i] = err; err == nil {
			won.Add(1)
			if ip.AssignedTo() != accounts[i%3] {
				s.Errorf("%d won for %s", i, ip.AssignedTo())
			}
		}
	})
	holder := s.stored(Database, "10.0.0.1").String("pvt_assigned_to")
	for i, err := range errs {
		switch {
		case err == nil && accounts[i%3] != holder:
			s.Errorf("%d succeeded for %s, %s has it", i, accounts[i%3], holder)
		case err == nil:
		case accounts[i%3] == holder:
			s.saying(err, "ips%2E0 superfluous: ip already assigned: 10.0.0.1")
		default:
			s.saying(err, "ips%2E0 forbidden: ip assigned to another account: 10.0.0.1")
		}
	}
	if won.Load() != 1 {
		s.Errorf("%d winners", won.Load())
	}
	s.holds("10.0.0.1=" + holder)
}

// overlappingBulks: every request has all of its addresses or none, and no address two holders.
func overlappingBulks(s *subject) {
	const count, requests = 12, 30
	accounts := []string{accountA, accountB, accountC}
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf("10.0.0.%d", i))
	}
	s.free(all...)
	var mu sync.Mutex
	holders := map[string]string{}
	s.atOnce(requests, func(i int, p *Pool) {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		var wanted []string
		for _, at := range r.Perm(count)[:2+r.IntN(4)] {
			wanted = append(wanted, all[at])
		}
		ips, err := p.Assign(s.Context(), toAssign(accounts[i%3], wanted...))
		if err != nil {
			if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
				s.Errorf("request %d: %v", i, err)
			}
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if idsText(ips) != strings.Join(wanted, " ") {
			s.Errorf("asked for %v, got %s", wanted, idsText(ips))
		}
		for _, id := range wanted {
			if holders[id] != "" {
				s.Errorf("%s has two holders", id)
			}
			holders[id] = accounts[i%3]
		}
	})
	var want []string
	for _, id := range all {
		want = append(want, strings.TrimSuffix(id+"="+holders[id], "="))
	}
	s.becomes(want...)
}

// assignAndRelease: whatever the order, the copies end up as the documents say, and every success had its turn.
func assignAndRelease(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	accounts := []string{accountA, accountB}
	var taken, given atomic.Int64
	s.atOnce(16, func(i int, p *Pool) {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		for range 8 {
			ips, err, count := []IP(nil), error(nil), &taken
			holder := accounts[r.IntN(2)]
			switch r.IntN(5) {
			case 0, 1:
				ips, err = p.Assign(s.Context(), toAssign(holder, "10.0.0.1"))
			case 2:
				ips, err = p.Assign(s.Context(), toAssign(holder, "10.0.0.1", "10.0.0.2"))
			case 3:
				ips, err = p.Release(s.Context(), toRelease(holder, "10.0.0.1"))
				count = &given
			case 4:
				ips, err = p.ReleaseAll(s.Context(), ReleaseAllRequest{Account: holder})
				count = &given
			}
			count.Add(int64(len(ips)))
			if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
				s.Error(err)
			}
		}
	})
	// One process may have written a copy after the other has compared it. It compares that copy again when it observes
	// the change of the other, which is some seconds later.
	var want []string
	for _, id := range []string{"10.0.0.1", "10.0.0.2"} {
		want = append(want, strings.TrimSuffix(id+"="+s.stored(Database, id).String("pvt_assigned_to"), "="))
	}
	s.becomes(want...)
	if taken.Load() == 0 || given.Load() == 0 {
		s.Errorf("%d were assigned, %d released: this tested nothing", taken.Load(), given.Load())
	}
}

func createAtOnce(s *subject) {
	spellings := []string{"2001:db8::1", "2001:DB8::1", "2001:db8:0:0:0:0:0:1"}
	var won atomic.Int64
	s.atOnce(30, func(i int, p *Pool) {
		_, err := p.Create(s.Context(), inZone(spellings[i%3]))
		if err == nil {
			won.Add(1)
		} else {
			testutil.RequireFault(s, err, fault.Conflict)
		}
	})
	if won.Load() != 1 {
		s.Errorf("%d created it", won.Load())
	}
	won.Store(0)
	s.atOnce(10, func(_ int, p *Pool) {
		_, err := p.Delete(s.Context(), DeleteRequest{Address: "2001:db8::1"})
		if err == nil {
			won.Add(1)
		} else {
			testutil.RequireFault(s, err, fault.BadIdentifier)
		}
	})
	if won.Load() != 1 {
		s.Errorf("%d deleted it", won.Load())
	}
}
