package dedicatedip

import (
	"context"
	"errors"
	"sync/atomic"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// trouble is a real store whose calls a test can precede, follow, fail or leave out.
type trouble struct {
	Store
	around func(call, db string, do func() error) error
}

func (t trouble) GetMany(ctx context.Context, db string, ids []string) (docs map[string]document.Document, err error) {
	err = t.around("get many", db, func() (err error) {
		docs, err = t.Store.GetMany(ctx, db, ids)
		return err
	})
	return docs, err
}

// Put and PutMany are the same trouble: which of them is called is not what counts.
func (t trouble) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	err = t.around("put", db, func() (err error) {
		rev, err = t.Store.Put(ctx, db, doc)
		return err
	})
	return rev, err
}

func (t trouble) PutMany(ctx context.Context, db string, docs []document.Document) (w []store.Written, err error) {
	err = t.around("put", db, func() (err error) {
		w, err = t.Store.PutMany(ctx, db, docs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

var errUnplugged = fault.Wrap(fault.DatastoreUnreachable, errors.New("unplugged"))

// when returns a hook that acts on the nth call of a kind, in the order they are made, and leaves others alone.
func when(call, db string, nth int, act func(do func() error) error) func(string, string, func() error) error {
	count := 0
	return func(c, d string, do func() error) error {
		if c == call && d == db {
			if count++; count == nth {
				return act(do)
			}
		}
		return do()
	}
}

// onPuts returns a hook that acts on the writes to the pool's database, which it numbers from 1 on.
func onPuts(act func(nth int64, do func() error) error) func(string, string, func() error) error {
	var puts atomic.Int64
	return func(call, db string, do func() error) error {
		if call == "put" && db == Database {
			return act(puts.Add(1), do)
		}
		return do()
	}
}

// Ways to act on a call.
func notMade(func() error) error { return errUnplugged }

func responseLost(do func() error) error {
	if err := do(); err != nil {
		return err
	}
	return errUnplugged
}

func preceded(by func()) func(do func() error) error {
	return func(do func() error) error {
		by()
		return do()
	}
}

func followed(by func()) func(do func() error) error {
	return func(do func() error) error {
		err := do()
		by()
		return err
	}
}
