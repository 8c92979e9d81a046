package notice

import (
	"context"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Documents is what Run needs of a store.
type Documents interface {
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
}

// The pauses between two attempts at what fails, the store or the broker.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// settle decides, until ctx ends, what became of writes that nobody knows the end of: those an earlier process
// was killed in, and those the store did not answer.
func (o *Outbox) settle(ctx context.Context, s Documents) {
	pauses := backoff.New(firstPause, lastPause)
	for ctx.Err() == nil {
		err := o.settleAll(ctx, s)
		if err == nil {
			pauses.Reset()
			select {
			case <-o.doubt:
			case <-ctx.Done():
			}
			continue
		}
		pause := pauses.Next()
		if ctx.Err() == nil {
			o.options.Log.Warn().Err(err).Stringer("again_in", pause).Msg("can't tell whether documents were written")
		}
		_ = backoff.Sleep(ctx, pause)
	}
}

func (o *Outbox) settleAll(ctx context.Context, s Documents) error {
	notes, err := o.queue.notes()
	if err != nil {
		return err
	}
	var happened, void []entry
	for _, e := range notes {
		if o.isOpen(e) {
			continue
		}
		now, err := current(ctx, s, e)
		if err != nil {
			return err
		}
		if e, ok := judge(e, now); ok {
			happened = append(happened, e)
		} else {
			void = append(void, e)
		}
	}
	if len(happened)+len(void) == 0 {
		return nil
	}
	defer ring(o.wake)
	return o.queue.settle(happened, void)
}

// isOpen reports whether the write of an entry is under way in this process.
func (o *Outbox) isOpen(e entry) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.opened[e.number]
}

// current answers the document of an entry as it is now, nil where there is none.
func current(ctx context.Context, s Documents, e entry) (document.Document, error) {
	if e.Flush {
		return nil, nil
	}
	id := e.Message.ID
	found, err := s.GetMany(ctx, decodedDatabase(e.Message.Database), []string{id})
	if fault.Is(err, fault.DatastoreMissing) {
		return nil, nil
	}
	return found[id], err
}

// judge answers the notice that is due, if one is, for a write of which only the document as it is now is known.
// Where that has another revision somebody has written it, and a notice too many does no harm. What no document
// is about is due in any case.
func judge(e entry, now document.Document) (entry, bool) {
	if e.Flush {
		return e, true
	}
	if now.Rev() == e.Before {
		return e, false
	}
	switch {
	case now == nil:
		e.Message.EventName = deleted
	case e.Message.EventName == deleted && !now.Bool("pvt_deleted"):
		e.Message.EventName = edited
	}
	e.Message.Rev = now.Rev()
	return e, true
}
