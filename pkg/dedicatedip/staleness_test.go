package dedicatedip

import (
	"fmt"
	"io"
	"slices"
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

// staleness has one pool write for three seconds, and another one on a store of its own follow.
func staleness(s *subject, others *store.Store) {
	const requests, interval, addresses = 150, time.Second / 50, 4
	s.fill(requests*addresses, "east")
	p := s.following(s.pool(s.s, io.Discard))
	other := s.following(s.pool(storetest.Apart{Store: others, Prefix: s.s.Prefix}, io.Discard))
	type written struct {
		id string
		at time.Time
	}
	writes := make(chan written, requests)
	begun := time.Now()
	go func() {
		defer close(writes)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for n := 0; n == 0 || n < requests && time.Since(begun) < requests*interval; n++ {
			var ids []string
			for i := n * addresses; i < (n+1)*addresses; i++ {
				ids = append(ids, fmt.Sprintf("10.0.%d.%d", i/256, i%256))
			}
			<-tick.C
			if err := s.assign(p, accountA, ids...); err != nil {
				s.Error(err)
			}
			writes <- written{ids[0], time.Now()}
		}
	}()
	var lags []time.Duration
	for w := range writes {
		testutil.Eventually(s, "heard of "+w.id, func() bool {
			address, err := other.Read().Get(s.Context(), w.id)
			return err == nil && address.AssignedTo == accountA
		})
		lags = append(lags, time.Since(w.at))
	}
	if look, _ := other.Memory(); len(lags) == 0 || look.Bypassed > 0 {
		s.Fatalf("%d requests, %d reads went to the store", len(lags), look.Bypassed)
	}
	slices.Sort(lags)
	s.Logf("%.0f documents a second, median %v, p99 %v", float64(len(lags)*addresses)/time.Since(begun).Seconds(),
		lags[len(lags)/2], lags[len(lags)*99/100])
}
