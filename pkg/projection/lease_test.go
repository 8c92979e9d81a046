package projection

import (
	"context"
	"fmt"
	"testing"
	"time"

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

// slowListing calls listed before each page of the accounts.
type slowListing struct {
	*store.Store
	listed func()
}

func (s slowListing) All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error {
	if db == kazoo.Accounts {
		s.listed()
	}
	return s.Store.All(ctx, db, q, each)
}

// TestLeaseOutlastsListing: the lease is renewed while the accounts are listed, which takes a minute for a million.
func TestLeaseOutlastsListing(t *testing.T) {
	t.Parallel()
	s, err := store.Open("memory:", store.Options{})
	testutil.OK(t, err)
	defer s.Close()
	testutil.OK(t, s.CreateDatabase(t.Context(), kazoo.Accounts))
	var docs []document.Document
	for n := range 1100 { // three pages
		docs = append(docs, document.Document{"_id": fmt.Sprintf("%032x", n), "pvt_type": "account"})
	}
	_, err = s.PutMany(t.Context(), kazoo.Accounts, docs)
	testutil.OK(t, err)
	now, pages := time.Unix(1700000000, 0), 0
	clock := func() time.Time { return now }
	other := NewReconciler(nil, s, ReconcilerOptions{Now: clock})
	r := NewReconciler(nil, slowListing{s, func() {
		pages++
		now = now.Add(leaseTime * 2 / 3)
		if made, wait, err := other.tryAcquire(t.Context(), now); made || wait <= 0 || err != nil {
			t.Errorf("page %d: the lease is free: %t, %v, %v", pages, made, wait, err)
		}
	}}, ReconcilerOptions{Now: clock})
	testutil.OK(t, r.WithoutPasses(t.Context(), func(c Copies) error {
		n, err := c.Each(t.Context(), func(string, []document.Document) error { return nil })
		if n != len(docs) || pages < 3 {
			t.Errorf("%d accounts, %d pages", n, pages)
		}
		return err
	}))
}
