package projection

import (
	"context"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
)

// mostObserved bounds the changes that wait. What is beyond it is found by a full pass, which Observe requests.
const mostObserved = 100_000

// Observe queues the copies of an address that the pool's feed has delivered, unless this process wrote them for that
// revision. before is the account that held the address until then, "" if none did. It never blocks.
func (p *Projector) Observe(doc document.Document, before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, accountID := range []string{before, history.StateOf(doc).Holder} {
		name := copyName{accountID, doc.ID()}
		if accountID != "" && !p.wroteFor(name, doc.Rev()) {
			p.await(name, doc.Rev())
		}
	}
}

// await has a copy compared once whoever made a change had the time to write it. p.mu is held.
func (p *Projector) await(name copyName, rev string) {
	if _, waits := p.observed[name]; !waits && len(p.observed) >= mostObserved {
		p.RequestPass()
		return
	}
	p.observed[name] = rev
}

// leaveToWriter reports whether the pool has a later revision than the observed one, and has the copy compared again
// then: its writer may be writing the copy. Without this, copies would be taken for wrong that are about to be written.
// An empty revision is not an observed one.
func (p *Projector) leaveToWriter(name copyName, observed, now string) bool {
	if observed == "" || kazoo.Generation(now) <= kazoo.Generation(observed) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.await(name, now)
	return true
}

// wroteFor reports whether this process wrote a copy last for that revision of the pool. Of revisions that differ it is
// not known which one won: generations do not order the branches that a CouchDB cluster has accepted, nor the revisions
// of a database that was created again.
func (p *Projector) wroteFor(name copyName, rev string) bool {
	last, ok := p.copies.Get(name)
	return ok && last.pool == rev
}

// RequestPass requests a full pass, for who knows that Observe was not called for all changes. It never blocks.
func (p *Projector) RequestPass() {
	select {
	case p.passRequested <- struct{}{}:
	default: // requested already
	}
}

// Run projects what Observe has queued, until ctx ends.
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
	p.mu.Lock()
	defer p.mu.Unlock()
	collected := map[string]map[string]item{}
	for name, rev := range p.due {
		if p.wroteFor(name, rev) {
			continue
		}
		if collected[name.accountID] == nil {
			collected[name.accountID] = map[string]item{}
		}
		collected[name.accountID][name.id] = item{observed: rev}
	}
	p.due, p.observed = p.observed, map[copyName]string{}
	return collected
}
