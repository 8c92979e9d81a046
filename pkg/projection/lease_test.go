package projection

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
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

// slowStore takes longer than the lease to read the documents of a database, and calls meanwhile when it has.
type slowStore struct {
	*store.Store
	meanwhile func()
}

func (s slowStore) All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error {
	if err := backoff.Sleep(ctx, 2*leaseTime); err != nil {
		return err
	}
	s.meanwhile()
	return s.Store.All(ctx, db, q, each)
}

// TestLeaseOutlastsReads: the lease is renewed while one read of the store goes on: of an account with many documents, or
// of a pool with many addresses.
func TestLeaseOutlastsReads(t *testing.T) {
	t.Parallel()
	for name, stolen := range map[string]bool{"renewed": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, err := store.Open("memory:", store.Options{})
				testutil.OK(t, err)
				defer s.Close()
				const accountID = "0123456789abcdef0123456789abcdef"
				testutil.OK(t, s.CreateDatabase(t.Context(), kazoo.Accounts))
				_, err = s.Put(t.Context(), kazoo.Accounts, document.Document{"_id": accountID, "pvt_type": "account"})
				testutil.OK(t, err)
				other := NewReconciler(nil, s, ReconcilerOptions{})
				reads := 0
				r := NewReconciler(nil, slowStore{s, func() {
					reads++
					if made, wait, err := other.tryAcquire(t.Context(), time.Now()); made || wait <= 0 || err != nil {
						t.Errorf("read %d: the lease is free: %t, %v, %v", reads, made, wait, err)
					}
				}}, ReconcilerOptions{})
				err = r.WithoutPasses(t.Context(), func(ctx context.Context, c Copies) error {
					if stolen {
						steal := func(doc document.Document) error { doc[fieldHolder] = other.id; return nil }
						testutil.OK(t, other.updateState(ctx, steal))
					}
					_, err := c.Each(ctx, func(string, []document.Document) error { return nil })
					return err
				})
				if stolen && (err != errLeaseLost || reads > 0) || !stolen && (err != nil || reads == 0) {
					t.Errorf("%d reads, %v", reads, err)
				}
			})
		})
	}
}
