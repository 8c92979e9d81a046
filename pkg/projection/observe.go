package projection

import (
	"context"
	"time"

	"junctor/pkg/document"
)

// mostObserved bounds the changes that wait. What is beyond it is found by the next full pass.
const mostObserved = 100_000

// Observe queues the copies of an address that the pool's feed has delivered, unless this process wrote them for that
// revision. before is the account that held the address until then, "" if none did. It never blocks.
func (p *Projector) Observe(doc document.Document, before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	after, _ := holder(doc)
	for _, accountID := range []string{before, after} {
		name := copyName{accountID, doc.ID()}
		if accountID != "" && !p.wroteFor(name, doc.Rev()) && len(p.observed) < mostObserved {
			p.observed[name] = doc.Rev()
		}
	}
}

// wroteFor reports whether this process wrote a copy for a revision of the pool.
func (p *Projector) wroteFor(name copyName, rev string) bool {
	last, ok := p.copies.Get(name)
	return ok && last.pool == rev
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
	add := func(name copyName) {
		if collected[name.accountID] == nil {
			collected[name.accountID] = map[string]item{}
		}
		collected[name.accountID][name.id] = item{repair: true}
	}
	for name, rev := range p.due {
		if !p.wroteFor(name, rev) {
			add(name)
		}
	}
	p.due, p.observed = p.observed, map[copyName]string{}
	for name, at := range p.unproven {
		switch {
		case at.Before(asOf):
			delete(p.unproven, name)
		case time.Since(at) > proofTime:
			delete(p.unproven, name)
			add(name)
		}
	}
	return collected
}
