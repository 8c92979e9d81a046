package projection

import (
	"testing"
	"time"

	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// TestLostLease: a process that died with the lease is waited for, and one that comes back too late stops.
func TestLostLease(t *testing.T) {
	t.Parallel()
	s, err := store.Open("memory:", store.Options{})
	testutil.OK(t, err)
	defer s.Close()
	testutil.OK(t, s.CreateDatabase(t.Context(), StateDatabase))
	now := time.Unix(1700000000, 0)
	clock := func() time.Time { return now }
	dead := NewReconciler(nil, s, ReconcilerOptions{Now: clock})
	held, err := dead.acquire(t.Context(), now)
	if held == nil || err != nil {
		t.Fatal(held, err)
	}
	other := NewReconciler(nil, s, ReconcilerOptions{Now: clock})
	if made, wait, err := other.tryAcquire(t.Context(), now); made || wait != leaseTime || err != nil {
		t.Fatal(made, wait, err)
	}
	now = now.Add(leaseTime / 2)
	testutil.OK(t, held.renew(t.Context()))
	if made, wait, err := other.tryAcquire(t.Context(), now); made || wait != leaseTime || err != nil {
		t.Fatal("the lease was not renewed", made, wait, err)
	}
	now = now.Add(leaseTime)
	if taken, err := other.acquire(t.Context(), now); taken == nil || err != nil {
		t.Fatal(taken, err)
	}
	if err := held.renew(t.Context()); err != errLeaseLost {
		t.Errorf("the lease is held twice: %v", err)
	}
}
