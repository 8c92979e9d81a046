package projection

import (
	"context"
	"maps"
	"slices"
	"strings"
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
	request  trace.Span        // of a request that asked for it; nil if none did
	waiting  []*call
}

// call is a call of Project or Repair that waits for copies.
type call struct {
	left int           // copies
	done chan struct{} // closed once none is left, which is never after Close
}

// merge returns what is left to do for two items about one address.
func (i item) merge(other item) item {
	i.waiting = slices.Concat(i.waiting, other.waiting)
	if i.request == nil {
		i.request = other.request
	}
	if i.observed != "" {
		i.observed = other.observed
	}
	if other.doc == nil || i.doc != nil && kazoo.Generation(i.doc.Rev()) < kazoo.Generation(other.doc.Rev()) {
		i.doc = other.doc
	}
	return i
}

// Project updates accounts' copies from documents that this process has just written to the pool, or with "_deleted"
// removed. Empty accounts are ignored. It waits until all copies are equal, at most for Options.Patience: the pool has
// committed by then, so the caller has succeeded whatever becomes of the copies. The projector goes on with what is left.
//
// The writes belong to the trace of ctx, and do not end with it.
func (p *Projector) Project(ctx context.Context, docs []document.Document, accounts ...string) {
	c := &call{done: make(chan struct{})}
	items := make(map[string]item, len(docs))
	for _, doc := range docs {
		items[doc.ID()] = item{doc: doc, request: trace.SpanFromContext(ctx), waiting: []*call{c}}
	}
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(accountID string) bool { return accountID == "" })
	if c.left = len(items) * len(accounts); c.left == 0 {
		return
	}
	for _, accountID := range accounts {
		p.enqueue(accountID, items)
	}
	patience := time.NewTimer(p.options.Patience)
	defer patience.Stop()
	select {
	case <-c.done:
		return
	case <-patience.C:
	case <-p.ctx.Done():
	}
	p.options.Log.Warn().Str("account", strings.Join(accounts, " ")).Int("count", len(items)).
		Strs("ips", first(slices.Sorted(maps.Keys(items)))).
		Msg("the account's copies of these addresses are not written yet; the projector goes on trying, and the next full " +
			"pass of a server writes what is left")
}

// Compare queues an account's copies of addresses, which may be wrong after a request that failed. It never blocks. They are
// written as if a request had asked for them, without a trace: they wait for no repairs.
func (p *Projector) Compare(accountID string, ids []string) {
	if accountID != "" {
		p.enqueue(accountID, unread(ids, item{request: trace.SpanFromContext(context.Background())}))
	}
}

// unread returns an item for each address. Its document has to be read.
func unread(ids []string, i item) map[string]item {
	items := make(map[string]item, len(ids))
	for _, id := range ids {
		items[id] = i
	}
	return items
}

// Repair compares an account's copies of addresses with the pool and writes those that differ. It returns when they are
// equal, or when ctx ends.
func (p *Projector) Repair(ctx context.Context, accountID string, ids []string) error {
	c := &call{done: make(chan struct{})}
	items := unread(ids, item{waiting: []*call{c}})
	if c.left = len(items); c.left == 0 {
		return nil
	}
	p.enqueue(accountID, items)
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// enqueue starts to write items of an account. Those whose copies are being written already are written after that.
func (p *Projector) enqueue(accountID string, items map[string]item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(items) == 0 || p.ctx.Err() != nil {
		return
	}
	q := p.accounts[accountID]
	if q == nil {
		q = &queue{busy: map[string]bool{}, later: map[string]item{}, failed: map[string]item{}}
		p.accounts[accountID] = q
	}
	batch := make(map[string]item, len(items))
	for id, i := range items {
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
		p.finish(accountID, q, batch, left)
		if len(left) == 0 {
			return
		}
		pause := pauses.Next()
		due := time.Now().Add(pause)
		p.postpone(q, left, due)
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

// attempt tries once to write a batch, in the trace of one of the requests that asked for it. Of the batches that no
// request asked for, only some are written at once.
func (p *Projector) attempt(accountID string, batch map[string]item) (left map[string]item, err error) {
	for _, i := range batch {
		if i.request != nil {
			return p.writeCopies(trace.ContextWithSpan(p.ctx, i.request), accountID, batch)
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

// finish takes in that a batch was written but for what is left, and starts to write what was queued for the written
// copies meanwhile.
func (p *Projector) finish(accountID string, q *queue, batch, left map[string]item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]item{}
	for id, i := range batch {
		if _, failed := left[id]; failed {
			continue
		}
		for _, c := range i.waiting {
			if c.left--; c.left == 0 {
				close(c.done)
			}
		}
		if later, waits := q.later[id]; waits {
			delete(q.later, id)
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

// postpone makes items be written again after the pause of their writer, which ends at a time, or after that of another
// writer if that ends first.
func (p *Projector) postpone(q *queue, items map[string]item, due time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.due.IsZero() || due.Before(q.due) {
		q.due = due
	}
	for id, i := range items {
		if later, waits := q.later[id]; waits {
			delete(q.later, id)
			i = i.merge(later)
		}
		q.failed[id] = i
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
