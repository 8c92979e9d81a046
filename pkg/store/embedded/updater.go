package embedded

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"junctor/pkg/backoff"
)

const (
	// quiet is how long nothing has to be written before indexes are updated.
	quiet = 50 * time.Millisecond
	// mostOutdated is about how many documents of a database a query may have to map. With so many its indexes are
	// updated even if writes go on.
	mostOutdated = 5000
	// finalTime bounds how long indexes are updated while the store is closed. Queries of the next process do the rest.
	finalTime = 3 * time.Second
	// updatedTogether is how many databases are updated at a time.
	updatedTogether = 32
)

// updater updates indexes in the background, when nothing is written or for many documents together, so that neither
// a write nor, mostly, a query has to run view functions. A document that was written several times is mapped once.
// CouchDB does the same.
type updater struct {
	client *client
	wake   chan struct{} // has an element if there is something to do
	cancel context.CancelFunc
	ended  chan struct{} // closed when run has returned

	writing atomic.Int64 // writes of documents that wait for the disk, which may take longer than quiet
	written atomic.Int64 // so far

	mu       sync.Mutex
	outdated map[string]int // by database: how many documents were written since its indexes were updated
}

func startUpdater(c *client) *updater {
	ctx, cancel := context.WithCancel(context.Background())
	u := &updater{client: c, wake: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{}),
		outdated: map[string]int{}}
	go u.run(ctx)
	return u
}

// note records that documents of a database were written.
func (u *updater) note(database string, documents int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.outdated[database] += documents
	u.written.Add(1)
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// stop returns when no index is updated any more. What is outdated is updated before, so that the next process has less
// to do.
func (u *updater) stop() {
	u.cancel()
	<-u.ended
}

func (u *updater) run(ctx context.Context) {
	defer close(u.ended)
	for ctx.Err() == nil {
		select {
		case <-u.wake:
		case <-ctx.Done():
		}
		for more := true; more; {
			written := u.written.Load()
			if backoff.Sleep(ctx, quiet) != nil {
				break
			}
			var due []string
			due, more = u.take(u.writing.Load() == 0 && u.written.Load() == written)
			u.update(ctx, due)
		}
	}
	if u.client.file.path == "" { // a store in memory, which nobody reads again
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalTime)
	defer cancel()
	due, _ := u.take(true)
	u.update(ctx, due)
}

// take returns the databases whose indexes are to be updated now, all or those with many outdated documents, and reports
// whether there are others.
func (u *updater) take(all bool) (databases []string, more bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for database, documents := range u.outdated {
		if all || documents >= mostOutdated {
			databases = append(databases, database)
			delete(u.outdated, database)
		}
	}
	return databases, len(u.outdated) > 0
}

// update updates all indexes of databases, some at a time, so that they share transactions. If it fails, the next query
// that needs an index says why.
func (u *updater) update(ctx context.Context, databases []string) {
	var group errgroup.Group
	group.SetLimit(updatedTogether)
	for _, name := range databases {
		d := &database{client: u.client, name: name}
		group.Go(func() error { return d.refresh(ctx, d.indexes) })
	}
	_ = group.Wait()
}
