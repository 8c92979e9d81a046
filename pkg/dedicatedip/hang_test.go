package dedicatedip

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// hangingStore is a store that may stop to respond: calls are given up after five seconds, as those to a CouchDB.
type hangingStore struct {
	Store
	hangs atomic.Bool
}

func (h *hangingStore) call(ctx context.Context) error {
	if !h.hangs.Load() {
		return nil
	}
	select {
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
	}
	return fault.New(fault.DatastoreUnreachable, "")
}

func (h *hangingStore) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	if err := h.call(ctx); err != nil {
		return nil, err
	}
	return h.Store.GetMany(ctx, db, ids)
}

func (h *hangingStore) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	if err := h.call(ctx); err != nil {
		return nil, err
	}
	return h.Store.PutMany(ctx, db, docs)
}

// TestHangingStoreIsWaitedForOnce: a request whose write gets no response does not wait as long again to take it back.
func TestHangingStoreIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSubject(t, storetest.Open(t, "memory:"))
		s.free("10.0.0.1", "10.0.0.2")
		h := &hangingStore{Store: s.s}
		p := s.pool(h, s.Output())
		began := time.Now()
		_, err := p.Assign(s.Context(), AssignRequest{
			Account: accountA, Addresses: []string{"10.0.0.1", "10.0.0.2"},
			Approve: func(context.Context, int) error {
				h.hangs.Store(true)
				return nil
			},
		})
		s.is(err, fault.DatastoreUnreachable)
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("it took %s", took)
		}
		h.hangs.Store(false)
	})
}
