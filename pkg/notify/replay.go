package notify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/backoff"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// replay is the state of publishing what changed since the checkpoint. It follows the pool's feed from there until no
// write of unknown outcome can land any more. Copies in accounts' databases are in no feed: those whose notices may be
// missing, the stale ones, are read when the feed is current, and once more at the end.
type replay struct {
	active   bool
	position string // in the feed
	until    time.Time
	stale    map[subject]bool
	looked   bool // at the stale ones
	missed   bool // another replay is due, because there was no room for a notice
}

// doubt has a document published that may have been written, or may yet be. p.mu is held.
func (p *Publisher) doubt(s subject) {
	if s.db != dedicatedip.Database {
		p.stale[s] = true
	}
	if !p.active {
		p.active, p.position = true, p.since
	}
	p.until, p.looked = time.Now().Add(p.limits.late), false
	ring(p.due)
}

// keepReplaying replays when that is due, until ctx ends.
func (p *Publisher) keepReplaying(ctx context.Context) {
	for {
		select {
		case <-p.due:
		case <-ctx.Done():
			return
		}
		for pauses := backoff.New(firstPause, p.limits.pause); p.replayDue() && ctx.Err() == nil; {
			err := p.followFeed(ctx)
			if errors.Is(err, errEnded) || ctx.Err() != nil {
				continue
			}
			p.options.Log.Warn().Err(err).Msg("can't read what changed, for change notices; trying again")
			p.mu.Lock()
			p.until = time.Now().Add(p.limits.late) // what the store did not do yet it may do when it can again
			if fault.Is(err, fault.DatastoreFault) && p.position == p.since {
				p.position = everything // another store's sequence, as after it was replaced, is one that it can't read
			}
			p.mu.Unlock()
			_ = pauses.Wait(ctx)
		}
	}
}

// replayDue reports whether there is something to replay: what is in doubt, or else all if a notice was missed.
func (p *Publisher) replayDue() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.missed && !p.active {
		p.missed = false
		p.doubt(subject{db: dedicatedip.Database})
		for s := range p.noted {
			p.doubt(s)
		}
	}
	return p.active
}

var errEnded = errors.New("the replay is at its end")

// followFeed publishes what is in the feed from the present position on. It always returns an error.
func (p *Publisher) followFeed(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.mu.Lock()
	position := p.position
	p.mu.Unlock()
	err := p.source.Changes(ctx, dedicatedip.Database, position, func(change store.Change) error {
		return p.publishChange(ctx, change)
	}, func(asOf time.Time) {
		if err := p.current(ctx, asOf); err != nil {
			cancel(err)
		}
	})
	return cmp.Or(context.Cause(ctx), err)
}

// publishChange publishes a document of the pool, and the copy of its holder. What this process has written since the
// replay began is in the feed, too, and is published already.
func (p *Publisher) publishChange(ctx context.Context, change store.Change) error {
	doc, err := change.Doc()
	if err != nil || strings.HasPrefix(change.ID, "_design/") {
		return err
	}
	if err := p.waitForRoom(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	isNews := p.publishPresent(subject{dedicatedip.Database, change.ID}, doc)
	p.mu.Unlock()
	if db, err := account.Database(doc.String("pvt_assigned_to")); err == nil && isNews {
		if err := p.publishCopies(ctx, db, []string{change.ID}); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position = change.Seq
	return nil
}

// publishCopies publishes an account's copies as they are now.
func (p *Publisher) publishCopies(ctx context.Context, db string, ids []string) error {
	if err := p.waitForRoom(ctx); err != nil {
		return err
	}
	found, err := p.source.GetMany(ctx, db, ids)
	if err != nil && !fault.Is(err, fault.DatastoreMissing) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.publishPresent(subject{db, id}, found[id])
	}
	p.publishProxies(subject{db, ids[0]})
	return nil
}

// publishPresent publishes a document as it was read, unless a notice of that revision or a later one was queued, and
// reports whether it did. Nil says that the document does not exist. p.mu is held.
func (p *Publisher) publishPresent(s subject, doc document.Document) bool {
	made := generation(doc.Rev())
	m := about(p.options.Node, s.db, s.id, doc, nil, made == 1)
	m.Rev = doc.Rev()
	return p.publish(&notice{message: m, subject: s, generation: made})
}

// waitForRoom waits until the queue is half empty.
func (p *Publisher) waitForRoom(ctx context.Context) error {
	for {
		p.mu.Lock()
		room := p.waiting() <= p.limits.queue/2
		p.mu.Unlock()
		if room {
			return ctx.Err()
		}
		if err := backoff.Sleep(ctx, firstPause); err != nil {
			return err
		}
	}
}

// current publishes stale copies, when everything is published that was written to the pool before asOf. It returns
// errEnded if no write of unknown outcome can land any more.
func (p *Publisher) current(ctx context.Context, asOf time.Time) error {
	p.mu.Lock()
	ended := asOf.After(p.until)
	stale := map[string][]string{}
	for s := range p.stale {
		if ended || !p.looked {
			stale[s.db] = append(stale[s.db], s.id)
		}
	}
	p.looked = true
	p.mu.Unlock()
	for db, ids := range stale {
		for some := range slices.Chunk(ids, batchSize) {
			if err := p.publishCopies(ctx, db, some); err != nil {
				return err
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ended || !asOf.After(p.until) {
		return nil
	}
	p.active = false
	clear(p.stale)
	return errEnded
}
