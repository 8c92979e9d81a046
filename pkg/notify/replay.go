package notify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// replay is the state of publishing what was written since the checkpoint. One pass queues what is in the pool's feed
// from position on, and the marked copies of the checkpoint. A pass is due at once, and, if a write of unknown outcome
// may land until some time, again after that.
type replay struct {
	due      time.Time // of the next pass; zero if there is none
	position string    // in the feed
	until    time.Time // when the last write of unknown outcome has landed, or never will
}

// replayLater has a document published that may be written until some time, or was written and not queued. p.mu is
// held.
func (p *Publisher) replayLater(s subject, until time.Time) {
	if _, ok := p.noted[s]; ok { // a copy; a document of the pool is in the feed
		p.noted[s] = true
	}
	p.scheduleReplay(until)
}

func (p *Publisher) scheduleReplay(until time.Time) {
	if until.After(p.until) {
		p.until = until
	}
	if p.due.IsZero() {
		p.due, p.position = time.Now(), p.since
		p.signal()
	}
}

// replayIfDue makes a pass, as far as there is room in the queue, if one is due. It reports whether one was.
func (p *Publisher) replayIfDue(ctx context.Context) bool {
	began := time.Now()
	p.mu.Lock()
	due := !p.due.IsZero() && !began.Before(p.due)
	p.mu.Unlock()
	if !due {
		return false
	}
	err := p.queueWritten(ctx)
	if errors.Is(err, errFull) || ctx.Err() != nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.options.Log.Warn().Err(err).Msg("can't read what changed, for change notices; trying again")
		if fault.Is(err, fault.DatastoreFault) && p.position == p.since {
			p.position = everything // another store's sequence, as after it was replaced, is one that it can't read
		}
		p.due = time.Now().Add(p.limits.pause)
		p.until = time.Now().Add(p.limits.late) // what the store did not do yet it may do when it can again
	case !began.After(p.until):
		p.due = p.until
	default:
		p.due = time.Time{}
		for s := range p.noted {
			p.noted[s] = false
		}
	}
	return true
}

// queueWritten queues notices of what was written to the pool since the last pass, and of the marked copies.
func (p *Publisher) queueWritten(ctx context.Context) error {
	if err := p.queueChanges(ctx); err != nil {
		return err
	}
	for db, ids := range p.markedCopies() {
		for some := range slices.Chunk(ids, batchSize) {
			if err := p.queueCopies(ctx, db, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// queueChanges queues notices of the feed from the present position on, until there is nothing new.
func (p *Publisher) queueChanges(ctx context.Context) error {
	p.mu.Lock()
	position := p.position
	p.mu.Unlock()
	err := p.source.ChangesSince(ctx, kazoo.DedicatedIPs, position, func(change store.Change) error {
		if err := p.room(); err != nil {
			return err
		}
		return p.queueChange(ctx, change)
	})
	if err != nil {
		return err
	}
	return p.room()
}

var errFull = errors.New("the queue is full")

// room returns errFull if half of the queue is in use: a replay leaves the rest to writes.
func (p *Publisher) room() error {
	if p.Stats().Waiting > p.limits.queue/2 {
		return errFull
	}
	return nil
}

// queueChange queues notices of a document of the pool, and of the copy of its holder. What this process has written
// since the replay began is in the feed, too, and is queued already. The copy comes first: once the document is queued, a
// pass that is made again takes both for queued.
func (p *Publisher) queueChange(ctx context.Context, change store.Change) error {
	doc, err := change.Doc()
	if err != nil || strings.HasPrefix(change.ID, "_design/") {
		return err
	}
	n := p.present(subject{kazoo.DedicatedIPs, change.ID}, doc)
	p.mu.Lock()
	isNews := !p.isLate(n)
	p.mu.Unlock()
	if db, err := account.Database(doc.String(kazoo.FieldAssignedTo)); err == nil && isNews {
		if err := p.queueCopies(ctx, db, []string{change.ID}); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publish(n)
	p.position = change.Seq
	return nil
}

// markedCopies returns the ids of the copies that the pass has to publish, by database.
func (p *Publisher) markedCopies() map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := map[string][]string{}
	for s, marked := range p.noted {
		if marked {
			ids[s.db] = append(ids[s.db], s.id)
		}
	}
	return ids
}

// queueCopies queues notices of an account's copies as they are now.
func (p *Publisher) queueCopies(ctx context.Context, db string, ids []string) error {
	found, err := p.source.GetMany(ctx, db, ids)
	if err != nil && !fault.Is(err, fault.DatastoreMissing) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.publish(p.present(subject{db, id}, found[id]))
	}
	p.publishProxies(subject{db, ids[0]})
	return nil
}

// present returns the notice of a document as it was read. Nil says that the document does not exist.
func (p *Publisher) present(s subject, doc document.Document) *notice {
	generation := kazoo.Generation(doc.Rev())
	m := about(p.options.Node, s.db, s.id, doc, nil, generation == 1)
	m.Rev = doc.Rev()
	return &notice{message: m, subject: s, generation: generation}
}
