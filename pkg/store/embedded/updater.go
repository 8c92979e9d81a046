package embedded

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"junctor/pkg/backoff"
)

const (
	// updateEvery is how often indexes are updated: a query maps what was written since.
	updateEvery = 2 * time.Second
	// finalTime bounds how long indexes are updated while the store is closed, which a server waits for a second for. Queries
	// of the next process do the rest.
	finalTime = time.Second / 2
	// updatedTogether is how many databases are updated at a time.
	updatedTogether = 32
)

// updater updates indexes in the background, so that neither a write nor, mostly, a query has to run view functions. A
// document that was written several times is mapped once. CouchDB does the same.
type updater struct {
	client *client
	cancel context.CancelFunc
	ended  chan struct{} // closed when run has returned

	mu       sync.Mutex
	outdated map[string]bool // databases that were written to since their indexes were updated
}

func startUpdater(c *client) *updater {
	ctx, cancel := context.WithCancel(context.Background())
	u := &updater{client: c, cancel: cancel, ended: make(chan struct{}), outdated: map[string]bool{}}
	go u.run(ctx)
	return u
}

// note records that documents of a database were written.
func (u *updater) note(database string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.outdated[database] = true
}

// stop returns when no index is updated any more. What is outdated is updated before, so that the next process has less
// to do.
func (u *updater) stop() {
	u.cancel()
	<-u.ended
}

func (u *updater) run(ctx context.Context) {
	defer close(u.ended)
	for backoff.Sleep(ctx, updateEvery) == nil {
		u.update(ctx)
	}
	if u.client.file.path == "" { // a store in memory, which nobody reads again
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalTime)
	defer cancel()
	u.update(ctx)
}

// update updates all indexes of the outdated databases, some at a time, so that they share transactions. If it fails, the
// next query that needs an index says why.
func (u *updater) update(ctx context.Context) {
	u.mu.Lock()
	outdated := u.outdated
	u.outdated = map[string]bool{}
	u.mu.Unlock()
	var group errgroup.Group
	group.SetLimit(updatedTogether)
	for name := range outdated {
		d := &database{client: u.client, name: name}
		group.Go(func() error { return d.refresh(ctx, d.indexes) })
	}
	_ = group.Wait()
}
