package dedicatedip

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"junctor/pkg/store"
)

// checks are the copies written lately, each with the revision of the pool that it was written for. A writer of
// another process may have been faster with a later revision, and slower with its copy: whoever has written one looks
// once more whether the pool still says the same. The feed tells; where it does not, one read does for all that were
// written in a while.
type checks struct {
	mu      sync.Mutex
	pending map[copyName]check
	writing map[string]int // how many requests of this process are writing an address
	closed  bool           // nobody is going to look any more
}

// check is what a copy was written for.
type check struct {
	rev string    // empty where the address is gone
	at  time.Time // when it was written at the latest
}

func newChecks() *checks { return &checks{pending: map[copyName]check{}, writing: map[string]int{}} }

// How long copies wait to be looked at together, and how long for the feed to come to when they were written.
const (
	checkPause    = 100 * time.Millisecond
	checkPatience = 3 * time.Second
)

// add notes copies to be looked at; ok is false where nobody is going to.
func (c *checks) add(accountID string, outcomes []outcome) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	now := time.Now()
	for _, doc := range outcomes {
		c.pending[copyName{accountID, doc.ID()}] = check{liveRevision(doc), now}
	}
	return true
}

func (c *checks) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// take answers the copies that were written by a time, which are to be looked at.
func (c *checks) take(by time.Time) map[copyName]check {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := map[copyName]check{}
	for name, written := range c.pending {
		if !written.at.After(by) {
			taken[name] = written
			delete(c.pending, name)
		}
	}
	return taken
}

// begin takes note that this process writes addresses and their copies, until done is called.
func (c *checks) begin(ips []IP) (done func()) {
	c.count(ips, 1)
	return func() { c.count(ips, -1) }
}

func (c *checks) count(ips []IP, more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ip := range ips {
		if c.writing[ip.ID()] += more; c.writing[ip.ID()] == 0 {
			delete(c.writing, ip.ID())
		}
	}
}

// attended reports whether it is this process that has written an address again, and with it the copy that was
// written for a revision. While it is at it, nobody can tell; then the copy is to be looked at later.
func (c *checks) attended(name copyName, written check) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, again := c.pending[name]
	if !again && c.writing[name.id] > 0 {
		c.pending[name] = written
		again = true
	}
	return again
}

// giveBack takes copies back that could not be looked at, as far as nothing newer is known of them.
func (c *checks) giveBack(taken map[copyName]check) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending)+len(taken) > mostChecks {
		return
	}
	maps.Copy(taken, c.pending)
	c.pending = taken
}

// mostChecks bounds what waits for a store that does not answer. The reconciler finds the rest.
const mostChecks = 100_000

// verifying looks at what checks have until it is told to stop, and then once more.
func (p *Pool) verifying(ctx context.Context, c *checks) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(checkPause)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				c.close()
				p.verifyAll(context.WithoutCancel(ctx), c, time.Now())
				return
			case <-tick.C:
				p.verify(ctx, c)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// verify looks at what the feed has come to, and reads what it is late with.
func (p *Pool) verify(ctx context.Context, c *checks) {
	if m := p.memory.Load(); m != nil {
		if asOf := m.asOf.Load(); asOf != nil {
			p.mirrorChanged(ctx, c, c.take(*asOf), m.index.revision)
		}
	}
	p.verifyAll(ctx, c, time.Now().Add(-checkPatience))
}

// verifyAll reads the revisions of all addresses whose copies were written by a time.
func (p *Pool) verifyAll(ctx context.Context, c *checks, by time.Time) {
	written := c.take(by)
	ids := map[string]bool{}
	for name := range written {
		ids[name.id] = true
	}
	ctx, cancel := committed(ctx)
	defer cancel()
	now, err := p.revisions(ctx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		c.giveBack(written)
		return
	}
	p.mirrorChanged(ctx, c, written, func(id string) string { return now[id] })
}

// mirrorChanged mirrors what the pool says otherwise now than when its copy was written.
func (p *Pool) mirrorChanged(ctx context.Context, c *checks, written map[copyName]check, now func(id string) string) {
	changed := map[string][]string{}
	for name, last := range written {
		if now(name.id) != last.rev && !c.attended(name, last) {
			changed[name.accountID] = append(changed[name.accountID], name.id)
		}
	}
	for accountID, ids := range changed {
		p.mirror(ctx, accountID, ids)
	}
}

// revisions reads the revisions of documents. One that is not there has none.
func (p *Pool) revisions(ctx context.Context, ids []string) (map[string]string, error) {
	revs := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return revs, nil
	}
	keys := make([]any, len(ids))
	for i, id := range ids {
		keys[i] = id
	}
	err := p.store.All(ctx, Database, store.Query{Keys: keys}, func(row store.Row) error {
		var value struct {
			Rev     string
			Deleted bool
		}
		if row.Value(&value) == nil && !value.Deleted { // a key without a document has no value
			revs[row.ID()] = value.Rev
		}
		return nil
	})
	return revs, err
}
