package projection

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// queue is what is being written for one account, and what has to be.
type queue struct {
	busy   map[string]bool // addresses whose copies are being written, or are about to be written again
	later  map[string]item // what whoever is writing the same copies writes next
	failed map[string]item // what is written again by the writer whose pause ends first
	due    time.Time       // when that is; zero if no writer pauses
}

// item is one copy to write.
type item struct {
	doc      document.Document // the pool's document as this process has just written it; nil means it has to be read
	observed string            // the revision of the pool whose writer has had the time to write it; empty for others
	calls    []*call           // that asked for it
}

// call is one call of enqueue, whose caller may wait.
type call struct {
	repair bool          // no request asked for it
	trace  trace.Span    // of the request; nil if there was none
	left   int           // copies
	done   chan struct{} // closed once none is left
}

// merge returns what is left to do for two items about one address.
func (i item) merge(other item) item {
	i.calls = slices.Concat(i.calls, other.calls)
	if i.observed != "" {
		i.observed = other.observed
	}
	if other.doc == nil || i.doc != nil && kazoo.Generation(i.doc.Rev()) < kazoo.Generation(other.doc.Rev()) {
		i.doc = other.doc
	}
	return i
}

// request returns a call by which a request asked for the copy, nil if none did.
func (i item) request() *call {
	for _, c := range i.calls {
		if !c.repair {
			return c
		}
	}
	return nil
}

// Project updates an account's copies from documents that this process has just written to the pool, or with "_deleted"
// removed. It waits until they are equal, at most for Options.Patience: the pool has committed by then, so the caller has
// succeeded whatever becomes of the copies. The projector goes on with what is left.
//
// The writes belong to the trace of ctx, and do not end with it.
func (p *Projector) Project(ctx context.Context, accountID string, docs []document.Document) {
	if accountID == "" {
		return
	}
	items := make(map[string]item, len(docs))
	for _, doc := range docs {
		items[doc.ID()] = item{doc: doc}
	}
	done := p.enqueue(accountID, items, &call{trace: trace.SpanFromContext(ctx)})
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

// Compare queues an account's copies of addresses, which may be wrong after a request that failed. It never blocks.
func (p *Projector) Compare(accountID string, ids []string) {
	if accountID != "" {
		p.enqueue(accountID, unread(ids), &call{})
	}
}

// unread returns items of addresses whose documents have to be read.
func unread(ids []string) map[string]item {
	items := make(map[string]item, len(ids))
	for _, id := range ids {
		items[id] = item{}
	}
	return items
}

// Repair compares an account's copies of addresses with the pool and writes those that differ. It returns when they are
// equal, or when ctx ends.
func (p *Projector) Repair(ctx context.Context, accountID string, ids []string) error {
	select {
	case <-p.enqueue(accountID, unread(ids), &call{repair: true}):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// enqueue starts to write items for a call. Those whose copies are being written already are written after that. It
// returns a channel that is closed once all are written, which is never after Close.
func (p *Projector) enqueue(accountID string, items map[string]item, c *call) (done <-chan struct{}) {
	c.left, c.done = len(items), make(chan struct{})
	if c.left == 0 {
		close(c.done)
		return c.done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil
	}
	q := p.accounts[accountID]
	if q == nil {
		q = &queue{busy: map[string]bool{}, later: map[string]item{}, failed: map[string]item{}}
		p.accounts[accountID] = q
	}
	batch := make(map[string]item, len(items))
	for id, i := range items {
		i.calls = []*call{c}
		switch earlier, waits := q.later[id]; {
		case waits:
			q.later[id] = earlier.merge(i)
		case q.busy[id]:
			q.later[id] = i
		default:
			q.busy[id] = true
			batch[id] = i
		}
	}
	if len(batch) > 0 {
		p.writers.Go(func() { p.write(accountID, q, batch) })
	}
	return c.done
}

// The pauses between two attempts to write the same copies.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 10 * time.Second
)

// write writes a batch of an account's copies until all are written, or another writer goes on with what failed: however
// many requests there are for a database that can't be written, it is tried once in a pause.
func (p *Projector) write(accountID string, q *queue, batch map[string]item) {
	for pauses := backoff.New(firstPause, lastPause); len(batch) > 0; {
		left, err := p.attempt(accountID, batch)
		pause := pauses.Next()
		due := time.Now().Add(pause)
		p.finish(accountID, q, batch, left, due)
		if len(left) == 0 {
			return
		}
		if err != nil && p.ctx.Err() == nil {
			p.options.Log.Error().Err(err).Str("account", accountID).Int("count", len(left)).
				Strs("ips", first(slices.Sorted(maps.Keys(left)))).Stringer("pause", pause.Round(time.Millisecond)).
				Msg("could not write the account's copies of these addresses: the pool is right, but billing counts the copies; " +
					"trying again after the pause")
		}
		if backoff.Sleep(p.ctx, pause) != nil {
			return
		}
		batch = p.takeFailed(q, due)
	}
}

// takeFailed returns what has to be written again, to the writer whose pause was to end first, and nothing to others.
func (p *Projector) takeFailed(q *queue, due time.Time) (batch map[string]item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !q.due.Equal(due) {
		return nil
	}
	batch, q.failed, q.due = q.failed, map[string]item{}, time.Time{}
	return batch
}

// attempt tries once to write a batch, in the trace of one of the requests that asked for it. Of the batches that no
// request asked for, only some are written at once.
func (p *Projector) attempt(accountID string, batch map[string]item) (left map[string]item, err error) {
	for _, i := range batch {
		if c := i.request(); c != nil {
			return p.writeCopies(trace.ContextWithSpan(p.ctx, c.trace), accountID, batch)
		}
	}
	select {
	case p.repairing <- struct{}{}:
		defer func() { <-p.repairing }()
		return p.writeCopies(p.ctx, accountID, batch)
	case <-p.ctx.Done():
		return batch, p.ctx.Err()
	}
}

// finish takes in that a batch was written but for what is left, whose writer pauses until due, and starts to write what
// was queued for the written copies meanwhile.
func (p *Projector) finish(accountID string, q *queue, batch, left map[string]item, due time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(left) > 0 && (q.due.IsZero() || due.Before(q.due)) {
		q.due = due
	}
	next := map[string]item{}
	for id, i := range batch {
		later, waits := q.later[id]
		delete(q.later, id)
		if rest, failed := left[id]; failed {
			if waits {
				rest = rest.merge(later)
			}
			q.failed[id] = rest
			continue
		}
		for _, c := range i.calls {
			if c.left--; c.left == 0 {
				close(c.done)
			}
		}
		if waits {
			next[id] = later
		} else {
			delete(q.busy, id)
		}
	}
	if len(next) > 0 {
		p.writers.Go(func() { p.write(accountID, q, next) })
	}
	if len(q.busy) == 0 {
		delete(p.accounts, accountID)
	}
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
