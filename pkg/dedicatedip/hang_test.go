package dedicatedip

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// hangingStore is a store that may stop to respond: calls are given up after five seconds, as those to a CouchDB.
type hangingStore struct {
	storetest.Apart
	hangs atomic.Bool
	only  string // the database that hangs; empty means all
}

func (h *hangingStore) call(ctx context.Context, db string) error {
	if !h.hangs.Load() || h.only != "" && h.only != db {
		return nil
	}
	select {
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
	}
	return fault.New(fault.DatastoreUnreachable, "")
}

func (h *hangingStore) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	if err := h.call(ctx, db); err != nil {
		return nil, err
	}
	return h.Apart.GetMany(ctx, db, ids)
}

func (h *hangingStore) Put(ctx context.Context, db string, doc document.Document) (string, error) {
	if err := h.call(ctx, db); err != nil {
		return "", err
	}
	return h.Apart.Put(ctx, db, doc)
}

func (h *hangingStore) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	if err := h.call(ctx, db); err != nil {
		return nil, err
	}
	return h.Apart.PutMany(ctx, db, docs)
}

// TestHangingStoreIsWaitedForOnce: a request whose write gets no response does not wait as long again to take it back.
func TestHangingStoreIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSubject(t, storetest.Open(t, "memory:"))
		s.free("10.0.0.1", "10.0.0.2")
		h := &hangingStore{Apart: s.s}
		p := s.pool(h, s.Output())
		began := time.Now()
		_, err := p.Assign(s.Context(), AssignRequest{
			Account: accountA, Addresses: []string{"10.0.0.1", "10.0.0.2"},
			Approve: func(context.Context, int) error {
				h.hangs.Store(true)
				return nil
			},
		})
		testutil.RequireFault(s, err, fault.DatastoreUnreachable)
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("it took %s", took)
		}
		h.hangs.Store(false)
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
		h := &hangingStore{Apart: s.s, only: history.Database}
		h.hangs.Store(true)
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
