package dedicatedip

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// hanging has the store not respond to calls, while hangs is true: they are given up after five seconds, as those to a
// CouchDB. It hangs for one database or, if db is empty, for all.
func hanging(hangs *atomic.Bool, db string) storetest.Hook {
	return func(c storetest.Call, do func() error) error {
		if !hangs.Load() || db != "" && db != c.DB {
			return do()
		}
		select {
		case <-time.After(5 * time.Second):
		case <-c.Done():
		}
		return fault.New(fault.DatastoreUnreachable, "")
	}
}

// TestHangingStoreIsWaitedForOnce: a request whose write gets no response does not wait as long again to take it back.
func TestHangingStoreIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSubject(t, storetest.Open(t, "memory:"))
		s.free("10.0.0.1", "10.0.0.2")
		var hangs atomic.Bool
		p := s.pool(s.s.With(hanging(&hangs, "")), s.Output())
		began := time.Now()
		_, err := p.Assign(s.Context(), AssignRequest{
			Account: accountA, Addresses: []string{"10.0.0.1", "10.0.0.2"},
			Approve: func(context.Context, int) error {
				hangs.Store(true)
				return nil
			},
		})
		testutil.RequireFault(s, err, fault.DatastoreUnreachable)
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("it took %s", took)
		}
		hangs.Store(false)
	})
}

// TestHangingHistoryIsWaitedForOneSecond: while the database of the history does not respond, addresses are assigned and
// released, and their documents hold the changes that the history lacks.
func TestHangingHistoryIsWaitedForOneSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSubject(t, storetest.Open(t, "memory:"))
		s.free("10.0.0.1")
		s.ok(history.Install(s.Context(), s.s))
		var hangs atomic.Bool
		hangs.Store(true)
		h := s.s.With(hanging(&hangs, history.Database))
		p := s.poolWith(h, Options{History: history.New(h, time.Now, zerolog.Nop())})
		const rounds = history.Held
		for range rounds {
			began := time.Now()
			s.ok(s.assign(p, accountA, "10.0.0.1"))
			s.ok(outcome(p.Release(s.Context(), ReleaseRequest{Account: accountA, Addresses: []string{"10.0.0.1"}})))
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
		}
		if n := len(history.Changes(s.stored(Database, "10.0.0.1"))); n < 2*rounds {
			t.Errorf("the document holds %d changes", n)
		}
	})
}
