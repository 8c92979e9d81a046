package dedicatedip

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestStaleness: what one process writes, up to 200 documents a second, another one reads from memory, soon. How soon is
// logged; on an idle machine it is within a second, which is what is promised.
func TestStaleness(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		s := storetest.Open(t, "memory:")
		staleness(newSubject(t, s), s)
	})
	t.Run("couchdb", func(t *testing.T) {
		t.Parallel()
		dsn := storetest.FreshCouch(t)
		staleness(newSubject(t, storetest.Open(t, dsn)), storetest.Open(t, dsn))
	})
}

const (
	writingTime      = 3 * time.Second
	requestsAtOnce   = 4
	requestInterval  = time.Second / 50
	addressesAtATime = 4 // so it is 200 documents a second
	mostRequests     = int(writingTime / requestInterval)
)

// mostLag leaves room for a machine that has other tests to run.
const mostLag = 30 * time.Second

// written are addresses that were assigned, and when that was answered.
type written struct {
	ids       []string
	accountID string
	at        time.Time
}

// staleness has one pool write, and another one on a store of its own follow.
func staleness(s *subject, others *store.Store) {
	s.fill(mostRequests*addressesAtATime, "east")
	p := s.following(s.pool(s.s, io.Discard))
	other := s.following(s.pool(storetest.Apart{Store: others, Prefix: s.s.Prefix}, io.Discard))
	var lags []time.Duration
	begun := time.Now()
	for w := range s.assigning(p) {
		testutil.Eventually(s, "heard of "+w.ids[0], func() bool { return s.shows(other, w) })
		lags = append(lags, time.Since(w.at))
	}
	if len(lags) == 0 {
		s.Fatal("nothing was written")
	}
	rate := float64(len(lags)*addressesAtATime) / time.Since(begun).Seconds()
	if look, _ := other.Memory(); look.Bypassed > 0 {
		s.Errorf("%d reads went to the store", look.Bypassed)
	}
	slices.Sort(lags)
	median, most := lags[len(lags)/2], lags[len(lags)*99/100]
	s.Logf("%.0f documents a second, median %v, p99 %v", rate, median, most)
	if most > mostLag {
		s.Errorf("one in a hundred takes %v", most)
	}
}

// shows reports whether a pool has heard of what was assigned, wherever that is read.
func (s *subject) shows(p *Pool, w written) bool {
	items, err := p.Read().Assigned(s.Context(), w.accountID)
	s.ok(err)
	for _, id := range w.ids {
		address, err := p.Read().Get(s.Context(), id)
		s.ok(err)
		listed := slices.ContainsFunc(items, func(i Item) bool { return i.IP == id })
		if address.AssignedTo != w.accountID || !listed {
			return false
		}
	}
	return true
}

// assigning assigns what was made available, as fast as it is to be and the store can, and tells of it.
func (s *subject) assigning(p *Pool) <-chan written {
	numbers, done := make(chan int), make(chan written, mostRequests)
	var writing sync.WaitGroup
	writing.Go(func() {
		defer close(numbers)
		tick := time.NewTicker(requestInterval)
		defer tick.Stop()
		end := time.Now().Add(writingTime)
		for n := 0; n < mostRequests && time.Now().Before(end); n++ {
			<-tick.C
			numbers <- n
		}
	})
	for range requestsAtOnce {
		writing.Go(func() {
			for n := range numbers {
				ids, holder := some(n), []string{accountA, accountB, accountC}[n%3]
				if _, err := p.Assign(s.Context(), toAssign(holder, ids...)); err != nil {
					s.Error(err)
					continue
				}
				done <- written{ids, holder, time.Now()}
			}
		})
	}
	go func() {
		defer close(done)
		writing.Wait()
	}()
	return done
}

// some are the nth addresses of those made available.
func some(n int) (ids []string) {
	for i := range addressesAtATime {
		n := n*addressesAtATime + i
		ids = append(ids, fmt.Sprintf("10.0.%d.%d", n/256, n%256))
	}
	return ids
}
