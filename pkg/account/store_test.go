package account_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// The accounts of kazoo-db: M is the master, A and B are its children, A1 is a child of A.
const (
	accountM  = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	accountA  = "20d27928305e257782655b7896c79f14"
	accountB  = "09c766718e5cfdbc70c929dccb4e00fc"
	accountA1 = "3a583234b29d88662d41c309f3dfa1e1"
	keyA      = "667eb8ad78181282ae4d609e6a33ef08634f3dfc3819b5edc9478a96b338ddb0"
)

// open returns an empty store.
func open(t *testing.T) *store.Store { t.Helper(); return storetest.Open(t, "memory:") }

// openKazoo returns a store with what a real Kazoo wrote.
func openKazoo(t *testing.T) *store.Store { t.Helper(); return recordedKazoo.Open(t) }

var recordedKazoo = storetest.Template{Fill: testutil.LoadKazooDocuments}

func create(t *testing.T, s *store.Store, db string) {
	t.Helper()
	if err := s.CreateDatabase(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *store.Store, db string, doc document.Document) {
	t.Helper()
	if _, err := s.Put(t.Context(), db, doc); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *store.Store, db, id string) document.Document {
	t.Helper()
	doc, err := s.Get(t.Context(), db, id)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// change alters a document in the store.
func change(t *testing.T, s *store.Store, db, id string, fields document.Document) {
	t.Helper()
	_, err := s.Update(t.Context(), db, id, func(doc document.Document) error {
		for key, value := range fields {
			doc[key] = value
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ownViews and kazooViews are the two ways to look accounts up.
func ownViews(t *testing.T, s *store.Store) {
	t.Helper()
	if err := account.Install(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func kazooViews(t *testing.T, s *store.Store) {
	testutil.InstallKazooViews(t, s, "accounts", "accounts")
}

func database(t *testing.T, id string) string {
	t.Helper()
	name, err := account.Database(id)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// signingKey is made once: it takes long.
var signingKey = sync.OnceValues(func() (document.Document, error) { return auth.NewKeyDocument("") })

func newKey(id string) (document.Document, error) {
	key, err := signingKey()
	key = key.Clone()
	key["_id"] = id
	return key, err
}

var now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func newProvisioner(s account.Store) *account.Provisioner {
	return account.NewProvisioner(s, newKey, func() time.Time { return now })
}

var errCut = errors.New("cut off")

// cutOff is a store that refuses writes after a number of them. The last one may be written and its response lost.
type cutOff struct {
	*store.Store
	left     atomic.Int64
	loseLast bool
}

func cutAfter(s *store.Store, writes int, loseLast bool) *cutOff {
	c := &cutOff{Store: s, loseLast: loseLast}
	c.left.Store(int64(writes))
	return c
}

func (c *cutOff) write(do func() error) error {
	left := c.left.Add(-1)
	if left < 0 {
		return errCut
	}
	err := do()
	if left == 0 && c.loseLast {
		return errCut
	}
	return err
}

func (c *cutOff) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	err = c.write(func() (err error) { rev, err = c.Store.Put(ctx, db, doc); return err })
	return rev, err
}

func (c *cutOff) Delete(ctx context.Context, db, id, rev string) error {
	return c.write(func() error { return c.Store.Delete(ctx, db, id, rev) })
}

func (c *cutOff) CreateDatabase(ctx context.Context, db string) error {
	return c.write(func() error { return c.Store.CreateDatabase(ctx, db) })
}

func (c *cutOff) Update(
	ctx context.Context, db, id string, change func(document.Document) error,
) (doc document.Document, err error) {
	err = c.write(func() (err error) { doc, err = c.Store.Update(ctx, db, id, change); return err })
	return doc, err
}
