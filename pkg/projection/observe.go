package projection

import (
	"context"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// mostObserved bounds the changes that wait. What is beyond it is found by a full pass, which Observe requests.
const mostObserved = 100_000

// observation is a revision of the pool that Observe was called with.
type observation struct {
	rev    string
	number uint64 // of the call, from 1
}

// Observe queues the copies of an address that the pool's feed has delivered, unless this process wrote them for that
// revision. before is the account that held the address until then, "" if none did. It never blocks.
func (p *Projector) Observe(doc document.Document, before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observations++
	o := observation{doc.Rev(), p.observations}
	after, _ := holder(doc)
	for _, accountID := range []string{before, after} {
		name := copyName{accountID, doc.ID()}
		if accountID != "" && !p.wroteFor(name, o) {
			p.await(name, o)
		}
	}
}

// await has a copy compared once whoever made a change had the time to write it. p.mu is held.
func (p *Projector) await(name copyName, o observation) {
	if _, waits := p.observed[name]; !waits && len(p.observed) >= mostObserved {
		p.RequestPass()
		return
	}
	p.observed[name] = o
}

// leaveToWriter reports whether the pool has a later revision than the observed one, and has the copy compared again
// then: its writer may be writing the copy. Without this, copies would be taken for wrong that other processes write
// under load. An empty revision is not an observed one.
func (p *Projector) leaveToWriter(name copyName, observed, now string) bool {
	if observed == "" || kazoo.Generation(now) <= kazoo.Generation(observed) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.await(name, observation{now, p.observations})
	return true
}

// wroteFor reports whether this process wrote a copy for an observed revision of the pool, or for a later one.
//
// A later one has a higher generation, and the pool had it after the observation. Neither is enough by itself:
//
//   - Generations do not order the revisions of different branches. Of two revisions that a CouchDB cluster accepted,
//     the one of the lower generation wins once the other is deleted. In a database that was created again all begin
//     at 1. The feed delivers such a winner after the copy was written for the other branch, so the copy is compared.
//   - What is read after the observation may be older than it: the nodes of a cluster do not learn of a write at once.
//
// A later revision that loses afterwards is no exception: the feed delivers the winner, which is a new observation.
func (p *Projector) wroteFor(name copyName, o observation) bool {
	last, ok := p.copies.Get(name)
	return ok && (last.pool == o.rev ||
		last.observations >= o.number && kazoo.Generation(last.pool) > kazoo.Generation(o.rev))
}

// observedSoFar returns the number of the last observation.
func (p *Projector) observedSoFar() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.observations
}

// proofTime is how long a copy that was written without reading waits for the feed to prove it. Then it is compared.
const proofTime = 3 * time.Second

// noteUnproven notes a copy that was just written for what this process knew of the pool. A writer of another process
// may have been faster in the pool and slower here: the feed shows that, or the copy is compared. It reports whether
// there is room for the note.
func (p *Projector) noteUnproven(name copyName) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unproven) >= mostObserved {
		return false
	}
	p.unproven[name] = time.Now()
	return true
}

// RequestPass requests a full pass, for who knows that Observe was not called for all changes. It never blocks.
func (p *Projector) RequestPass() {
	select {
	case p.passRequested <- struct{}{}:
	default: // requested already
	}
}

// Run projects what Observe has queued, and compares what the feed does not prove, until ctx ends.
func (p *Projector) Run(ctx context.Context) {
	tick := time.NewTicker(p.options.Settle)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for accountID, items := range p.collect() {
				p.enqueue(accountID, items)
			}
		}
	}
}

// collect returns the copies that have to be compared, by account.
func (p *Projector) collect() map[string]map[string]item {
	asOf := p.options.AsOf()
	p.mu.Lock()
	defer p.mu.Unlock()
	collected := map[string]map[string]item{}
	add := func(name copyName, i item) {
		if collected[name.accountID] == nil {
			collected[name.accountID] = map[string]item{}
		}
		collected[name.accountID][name.id] = i
	}
	for name, o := range p.due {
		if !p.wroteFor(name, o) {
			add(name, item{repair: true, observed: o.rev})
		}
	}
	p.due, p.observed = p.observed, map[copyName]observation{}
	for name, at := range p.unproven {
		switch {
		case at.Before(asOf):
			delete(p.unproven, name)
		case time.Since(at) > proofTime:
			delete(p.unproven, name)
			add(name, item{repair: true})
		}
	}
	return collected
}
