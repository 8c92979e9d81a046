package routing

import (
	"context"
	"hash/maphash"

	"junctor/pkg/fault"
)

// keyedMutex serialises the writes to one cluster within this process, so that a write can only lose to another
// process. Ids are hashed onto its locks: a collision costs waiting, nothing else.
type keyedMutex struct {
	seed  maphash.Seed
	locks [64]chan struct{}
}

func newKeyedMutex() *keyedMutex {
	m := &keyedMutex{seed: maphash.MakeSeed()}
	for i := range m.locks {
		m.locks[i] = make(chan struct{}, 1)
	}
	return m
}

// lock acquires the lock of an id. It returns fault.Busy if ctx ends first.
func (m *keyedMutex) lock(ctx context.Context, id string) (unlock func(), err error) {
	lock := m.locks[maphash.String(m.seed, id)%uint64(len(m.locks))]
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Busy, ctx.Err())
	}
}
