package dedicatedip

import (
	"sync/atomic"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

// TestConflictingCopyIsRetriedWithBackoff: a copy that always conflicts is tried again with pauses, and the request is
// answered meanwhile (B4).
func TestConflictingCopyIsRetriedWithBackoff(t *testing.T) {
	t.Parallel()
	s := newSubject(t, storetest.Open(t, "memory:"))
	s.free("10.0.0.1")
	const enough = 1000 // calls, far more than there is time for with pauses
	var calls atomic.Int64
	p := s.with(func(call, db string, do func() error) error {
		if calls.Add(1) < enough && call == "put" && db == s.accountDB(accountA) {
			return fault.New(fault.Conflict, "")
		}
		return do()
	})
	_, err := assignSingle(s.Context(), p, accountA, "10.0.0.1", nil)
	s.ok(err)
	if n := calls.Load(); n >= enough {
		t.Errorf("%d calls of the store for one request", n)
	}
}
