package projection

import (
	"context"
	"maps"
	"slices"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/tracing"
)

// queue is what is being written for one account, and what has to be.
type queue struct {
	busy     map[string]bool // addresses whose copies are being written
	later    map[string]item // what to write next: whoever is writing the same copy does it, or retry
	failure  error           // of the last attempt that failed
	retrying bool
}

// item is one copy to write.
type item struct {
	doc      document.Document // the pool's document as this process has just written it; nil means it has to be read
	repair   bool              // no request asked for it
	observed string            // the revision of the pool whose writer has had the time to write it; empty for others
	calls    []*call           // that wait for it
	trace    tracing.Link      // of the request that asked for it
}

// call is one call of enqueue, whose caller may wait.
type call struct {
	left int           // copies
	done chan struct{} // closed once none is left
}

// merge returns what is left to do for two items about one address.
func (i item) merge(other item) item {
	observed := other.observed
	if i.observed == "" {
		observed = ""
	}
	if kazoo.Generation(i.doc.Rev()) < kazoo.Generation(other.doc.Rev()) {
		i, other = other, i
	}
	if other.doc == nil {
		i.doc = nil
	}
	i.repair, i.observed = i.repair && other.repair, observed
	i.calls = slices.Concat(i.calls, other.calls)
	if i.trace.IsZero() {
		i.trace = other.trace
	}
	return i
}

// Project updates an account's copies from documents that this process has just written to the pool, or with "_deleted"
// removed. It waits until they are equal, at most for Options.Patience: the pool has committed by then, so the caller has
// succeeded whatever becomes of the copies. The projector goes on with what is left.
//
// The writes belong to the trace of ctx, and do not end with it.
func (p *Projector) Project(ctx context.Context, accountID string, docs []document.Document) {
	items, link := make(map[string]item, len(docs)), tracing.LinkOf(ctx)
	for _, doc := range docs {
		items[doc.ID()] = item{doc: doc, trace: link}
	}
	p.project(accountID, items)
}

// Compare is Project for a caller that does not have the documents: it reads the pool.
func (p *Projector) Compare(accountID string, ids []string) { p.project(accountID, same(ids, item{})) }

// CompareLater is Compare, but returns at once.
func (p *Projector) CompareLater(accountID string, ids []string) {
	if accountID != "" && len(ids) > 0 {
		p.enqueue(accountID, same(ids, item{}))
	}
}

// same returns the same item for several addresses.
func same(ids []string, i item) map[string]item {
	items := make(map[string]item, len(ids))
	for _, id := range ids {
		items[id] = i
	}
	return items
}

func (p *Projector) project(accountID string, items map[string]item) {
	if accountID == "" || len(items) == 0 {
		return
	}
	done := p.enqueue(accountID, items)
	patience := time.NewTimer(p.options.Patience)
	defer patience.Stop()
	select {
	case <-done:
		return
	case <-patience.C:
	case <-p.ctx.Done():
	}
	p.options.Log.Warn().Str("account", accountID).Int("count", len(items)).
		Strs("ips", first(slices.Sorted(maps.Keys(items)))).
		Msg("the account's copies of these addresses are not written yet; the projector goes on trying")
}

// Repair compares an account's copies of addresses with the pool and writes those that differ. It returns when they are
// equal, or when ctx ends.
func (p *Projector) Repair(ctx context.Context, accountID string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	select {
	case <-p.enqueue(accountID, same(ids, item{repair: true})):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// enqueue starts to write items. Those whose copies are being written already are written after that. It returns a
// channel that is closed once all are written, which is never after Close.
func (p *Projector) enqueue(accountID string, items map[string]item) (done <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil
	}
	q := p.accounts[accountID]
	if q == nil {
		q = &queue{busy: map[string]bool{}, later: map[string]item{}}
		p.accounts[accountID] = q
	}
	c := &call{len(items), make(chan struct{})}
	batch := make(map[string]item, len(items))
	for id, i := range items {
		i.calls = []*call{c}
		if _, waits := q.later[id]; waits || q.busy[id] {
			q.postpone(id, i)
		} else {
			q.busy[id] = true
			batch[id] = i
		}
	}
	if len(batch) > 0 {
		p.writers.Go(func() { p.attempt(accountID, q, batch) })
	}
	return c.done
}

func (q *queue) postpone(id string, i item) {
	if earlier, waits := q.later[id]; waits {
		i = earlier.merge(i)
	}
	q.later[id] = i
}

// attempt writes a batch of copies, and then what was queued for the same copies meanwhile. What fails is left to
// retry.
func (p *Projector) attempt(accountID string, q *queue, batch map[string]item) {
	for len(batch) > 0 {
		left, err := p.writeInTurn(accountID, batch)
		batch = p.finish(accountID, q, batch, left, err)
	}
}

// writeInTurn is write. Of the batches that no request waits for, only some are written at once.
func (p *Projector) writeInTurn(accountID string, batch map[string]item) (left map[string]item, err error) {
	for _, i := range batch {
		if !i.repair {
			return p.write(traceOf(batch).Join(p.ctx), accountID, batch)
		}
	}
	select {
	case p.repairing <- struct{}{}:
		defer func() { <-p.repairing }()
		return p.write(p.ctx, accountID, batch)
	case <-p.ctx.Done():
		return batch, p.ctx.Err()
	}
}

// traceOf returns the trace of one of the requests that asked for a batch.
func traceOf(batch map[string]item) (link tracing.Link) {
	for _, i := range batch {
		if link = i.trace; !link.IsZero() {
			break
		}
	}
	return link
}

// finish takes in that a batch was written but for what is left. It returns what to write next.
func (p *Projector) finish(accountID string, q *queue, batch, left map[string]item, err error) (next map[string]item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next = map[string]item{}
	for id, i := range batch {
		if rest, failed := left[id]; failed {
			rest.calls, rest.trace = i.calls, i.trace
			q.postpone(id, rest)
			delete(q.busy, id)
			continue
		}
		for _, c := range i.calls {
			if c.left--; c.left == 0 {
				close(c.done)
			}
		}
		if newer, waits := q.later[id]; waits {
			next[id] = newer
			delete(q.later, id)
		} else {
			delete(q.busy, id)
		}
	}
	if len(left) > 0 {
		q.failure = err
	}
	switch {
	case len(left) > 0 && !q.retrying:
		q.retrying = true
		p.writers.Go(func() { p.retry(accountID, q) })
	case len(q.busy) == 0 && len(q.later) == 0 && !q.retrying:
		delete(p.accounts, accountID)
	}
	return next
}

// The pauses between two attempts to write an account's copies.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 10 * time.Second
)

// retry writes an account's copies that could not be written, until they are. The pauses grow while the same copies fail:
// on a busy account there may always be one that another process was at.
func (p *Projector) retry(accountID string, q *queue) {
	pauses := backoff.New(firstPause, lastPause)
	for {
		failed, err := p.failed(accountID, q)
		if len(failed) == 0 {
			return
		}
		pause := pauses.Next()
		if err != nil && p.ctx.Err() == nil {
			p.options.Log.Error().Err(err).Str("account", accountID).Int("count", len(failed)).
				Strs("ips", first(failed)).Stringer("pause", pause.Round(time.Millisecond)).
				Msg("could not write the account's copies of these addresses: the pool is right, but billing counts the copies; " +
					"trying again after the pause")
		}
		if backoff.Sleep(p.ctx, pause) != nil {
			return
		}
		batch := p.take(q)
		p.attempt(accountID, q, batch)
		if !p.anyWaits(q, batch) {
			pauses.Reset() // what waits now has failed only once
		}
	}
}

// anyWaits reports whether some of a batch of copies have to be written again.
func (p *Projector) anyWaits(q *queue, batch map[string]item) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range batch {
		if _, waits := q.later[id]; waits {
			return true
		}
	}
	return false
}

// failed returns the addresses of which the copies have to be written again, and the last error. Where there are none
// the account has no retry any more.
func (p *Projector) failed(accountID string, q *queue) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for id := range q.later {
		if !q.busy[id] {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		q.retrying = false
		if len(q.busy) == 0 {
			delete(p.accounts, accountID)
		}
	}
	slices.Sort(ids)
	return ids, q.failure
}

// take returns what has to be written again.
func (p *Projector) take(q *queue) map[string]item {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch := map[string]item{}
	for id, i := range q.later {
		if !q.busy[id] {
			batch[id] = i
			q.busy[id] = true
			delete(q.later, id)
		}
	}
	return batch
}

// Close interrupts the projector and waits for its writers. What is not written yet is found by the next full pass.
func (p *Projector) Close() {
	p.mu.Lock() // enqueue starts no writer after this
	p.stop()
	p.mu.Unlock()
	p.writers.Wait()
}

// reportedIPs bounds the length of a log line.
const reportedIPs = 20

func first(ids []string) []string { return ids[:min(len(ids), reportedIPs)] }
