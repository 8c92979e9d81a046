package routing

import (
	"context"
	"hash/maphash"

	"junctor/pkg/fault"
)

// turns lets the writers of one cluster in this process go one after the other, so that only those of other
// processes are there to be overtaken by. Clusters that share a turn wait for each other in vain, no more.
type turns struct {
	seed  maphash.Seed
	taken [64]chan struct{}
}

func newTurns() turns {
	t := turns{seed: maphash.MakeSeed()}
	for i := range t.taken {
		t.taken[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for the turn of a cluster.
func (t *turns) take(ctx context.Context, id string) (done func(), err error) {
	turn := t.taken[maphash.String(t.seed, id)%uint64(len(t.taken))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Busy, ctx.Err())
	}
}
