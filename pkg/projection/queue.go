package projection

import (
	"context"
	"maps"
	"slices"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// queue is what a worker writes next for one account.
type queue struct {
	items   map[string]item // by address
	waiting []chan struct{} // closed once all items are written
}

// item is one copy to write.
type item struct {
	doc    document.Document // the pool's document as this process has just written it; nil means it has to be read
	repair bool              // no request asked for it
}

// merge returns what is left to do for two items about one address.
func (i item) merge(other item) item {
	if kazoo.Generation(i.doc.Rev()) < kazoo.Generation(other.doc.Rev()) {
		i, other = other, i
	}
	if other.doc == nil {
		i.doc = nil
	}
	i.repair = i.repair && other.repair
	return i
}

// Project makes an account's copies follow documents that this process has just written to the pool, or with "_deleted"
// removed. It waits until they do, at most for Options.Patience: the pool has committed by then, so the caller has
// succeeded whatever becomes of the copies. The projector goes on with what is left.
func (p *Projector) Project(accountID string, docs []document.Document) {
	items := make(map[string]item, len(docs))
	for _, doc := range docs {
		items[doc.ID()] = item{doc: doc}
	}
	p.project(accountID, items)
}

// Compare is Project where it is not known what the pool has: it reads the pool.
func (p *Projector) Compare(accountID string, ids []string) {
	items := make(map[string]item, len(ids))
	for _, id := range ids {
		items[id] = item{}
	}
	p.project(accountID, items)
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
	items := make(map[string]item, len(ids))
	for _, id := range ids {
		items[id] = item{repair: true}
	}
	select {
	case <-p.enqueue(accountID, items):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// enqueue adds items to an account's queue. It returns a channel that is closed once they are written, which is never
// after Close.
func (p *Projector) enqueue(accountID string, items map[string]item) (done <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil
	}
	q := p.accounts[accountID]
	if q == nil {
		q = &queue{}
		p.accounts[accountID] = q
		p.workers.Go(func() { p.work(accountID) })
	}
	written := make(chan struct{})
	q.add(items, written)
	return written
}

func (q *queue) add(items map[string]item, waiting ...chan struct{}) {
	if q.items == nil {
		q.items = make(map[string]item, len(items))
	}
	for id, i := range items {
		if known, ok := q.items[id]; ok {
			i = known.merge(i)
		}
		q.items[id] = i
	}
	q.waiting = append(q.waiting, waiting...)
}

// The pauses between two attempts to write an account's copies.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 10 * time.Second
)

// work writes an account's copies until its queue is empty. It is the account's only writer in this process.
func (p *Projector) work(accountID string) {
	pauses := backoff.New(firstPause, lastPause)
	for {
		batch := p.take(accountID)
		if batch.items == nil {
			return
		}
		left, err := p.write(p.ctx, accountID, batch.items)
		if len(left) == 0 {
			for _, written := range batch.waiting {
				close(written)
			}
			pauses.Reset()
			continue
		}
		p.putBack(accountID, left, batch.waiting)
		pause := pauses.Next()
		if err != nil && p.ctx.Err() == nil {
			p.options.Log.Error().Err(err).Str("account", accountID).Int("count", len(left)).
				Strs("ips", first(slices.Sorted(maps.Keys(left)))).Dur("pause", pause).
				Msg("could not write the account's copies of these addresses: the pool is right, but billing counts the copies; " +
					"trying again after the pause")
		}
		if backoff.Sleep(p.ctx, pause) != nil {
			return
		}
	}
}

// take returns what is queued for an account. An empty queue is removed, and the worker has to end.
func (p *Projector) take(accountID string) queue {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.accounts[accountID]
	taken := *q
	if taken.items == nil {
		delete(p.accounts, accountID)
	}
	*q = queue{}
	return taken
}

// putBack queues what could not be written again.
func (p *Projector) putBack(accountID string, left map[string]item, waiting []chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts[accountID].add(left, waiting...)
}

// Waiting returns how many accounts have copies to write.
func (p *Projector) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.accounts)
}

// Close interrupts the projector and waits for its workers. What is not written yet is found by the next full pass.
func (p *Projector) Close() {
	p.mu.Lock() // no worker starts after this
	p.stop()
	p.mu.Unlock()
	p.workers.Wait()
}

// reportedIPs bounds the length of a log line.
const reportedIPs = 20

func first(ids []string) []string { return ids[:min(len(ids), reportedIPs)] }
