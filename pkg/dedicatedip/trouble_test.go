package dedicatedip

import (
	"errors"
	"sync/atomic"

	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

var errUnplugged = fault.Wrap(fault.DatastoreUnreachable, errors.New("unplugged"))

// when returns a hook that acts on the nth call of a kind, in the order they are made, and leaves others alone.
func when(call, db string, nth int, act func(do func() error) error) storetest.Hook {
	count := 0
	return func(c storetest.Call, do func() error) error {
		if c.Name == call && c.DB == db {
			if count++; count == nth {
				return act(do)
			}
		}
		return do()
	}
}

// onPuts returns a hook that acts on the writes to the pool's database, which it numbers from 1 on.
func onPuts(act func(nth int64, do func() error) error) storetest.Hook {
	var puts atomic.Int64
	return func(c storetest.Call, do func() error) error {
		if c.Name == "put" && c.DB == Database {
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
