package dedicatedip

import (
	"context"
	"errors"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// halfOpen is a cluster on which the first document of a bulk is lost to another writer, and the outcome of the second
// stays open although it was written.
type halfOpen struct {
	Store
	first func() // is called before the first bulk
	calls int
}

func (h *halfOpen) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	if h.calls++; h.calls > 1 {
		return h.Store.PutMany(ctx, db, docs)
	}
	h.first()
	written, err := h.Store.PutMany(ctx, db, docs)
	if err == nil {
		written[1] = store.Written{Err: fault.Wrap(fault.DatastorePartial, errors.New("open"))}
	}
	return written, err
}

// An open outcome is reported before a lost race: nothing is taken back then, so the client has to read before it
// repeats.
func TestAnOpenOutcomeIsReportedBeforeAConflict(t *testing.T) {
	t.Parallel()
	s := newSubject(t, storetest.Open(t, "memory:"))
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	p := s.pool(&halfOpen{Store: s.s, first: func() {
		s.ok(s.assign(s.Pool, accountB, "10.0.0.1"))
	}}, s.Output())
	testutil.RequireFault(s, s.assign(p, accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3"), fault.DatastorePartial)
}
