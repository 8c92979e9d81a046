package auth

import (
	"context"
	"sync"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// recent answers documents from memory while they are fresh: the same handful decides every request of a client.
// Each is read at most once in its time to live, however many ask for it at once. That one is missing is
// remembered, too. Nobody may alter what it answers.
type recent struct {
	from account.Reader
	ttl  time.Duration

	mu    sync.Mutex
	slots map[location]*slot
}

// location is where a document is kept.
type location struct{ db, id string }

// slot holds the latest reading of one document.
type slot struct {
	reading time.Time // when it began; zero is none yet. It and what was read are guarded by recent.mu
	doc     document.Document
	missing error     // what the store said where there is no such document
	renewed time.Time // when it was last asked to be read before its time

	busy chan struct{} // full while somebody reads
}

// maxSlots bounds the memory; where more are in use within the time to live, some are read again.
const maxSlots = 8192

func newRecent(from account.Reader, ttl time.Duration) *recent {
	return &recent{from: from, ttl: ttl, slots: map[location]*slot{}}
}

// get answers a document as it was at some time after asked, or at most the time to live ago, and when that was.
func (r *recent) get(ctx context.Context, at location, asked time.Time) (document.Document, time.Time, error) {
	s, ok := r.fresh(at, asked)
	if !ok {
		select {
		case s.busy <- struct{}{}:
		case <-ctx.Done():
			return nil, time.Time{}, fault.Wrap(fault.DatastoreUnreachable, ctx.Err())
		}
		defer func() { <-s.busy }()
		if err := r.read(ctx, s, at, asked); err != nil {
			return nil, time.Time{}, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.doc, s.reading, s.missing
}

// fresh answers the slot of a document, and whether what it holds will do.
func (r *recent) fresh(at location, asked time.Time) (*slot, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.slots[at]
	if !ok {
		if len(r.slots) >= maxSlots {
			clear(r.slots)
		}
		s = &slot{busy: make(chan struct{}, 1)}
		r.slots[at] = s
	}
	return s, r.serves(s, asked)
}

// serves reports whether a reading is recent enough for one who asked at that time. The clock is not the one that
// tokens are judged by: this one must not jump.
func (r *recent) serves(s *slot, asked time.Time) bool {
	return !s.reading.IsZero() && (!s.reading.Before(asked) || time.Since(s.reading) < r.ttl)
}

// read fills a slot unless another has just done so. A store that does not answer leaves no trace.
func (r *recent) read(ctx context.Context, s *slot, at location, asked time.Time) error {
	r.mu.Lock()
	serves := r.serves(s, asked)
	r.mu.Unlock()
	if serves {
		return nil
	}
	began := time.Now()
	doc, err := r.from.Get(ctx, at.db, at.id)
	if err != nil && !account.Missing(err) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.reading, s.doc, s.missing = began, doc, err
	return nil
}

// renewPause bounds how often a document is read before its time, so that bad tokens can't hammer the store.
const renewPause = time.Second

// renew lets documents be read again, except those for which that was asked a moment ago. It reports whether
// there is one.
func (r *recent) renew(documents []location) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, some := time.Now(), false
	for _, at := range documents {
		if s, ok := r.slots[at]; ok && now.Sub(s.renewed) >= renewPause {
			s.renewed, s.reading, some = now, time.Time{}, true
		}
	}
	return some
}

// inquiry reads the documents that one decision is made by, and notes how old they were.
type inquiry struct {
	recent     *recent
	began      time.Time
	oldest     time.Time  // when the oldest of them was read
	remembered []location // those that were read before the inquiry began
}

func (r *recent) inquire() *inquiry {
	now := time.Now()
	return &inquiry{recent: r, began: now, oldest: now}
}

// Get answers a document, as account.Reader has it.
func (q *inquiry) Get(ctx context.Context, db, id string) (document.Document, error) {
	at := location{db, id}
	doc, read, err := q.recent.get(ctx, at, q.began)
	if read.IsZero() {
		return nil, err
	}
	if read.Before(q.began) {
		q.remembered = append(q.remembered, at)
	}
	if read.Before(q.oldest) {
		q.oldest = read
	}
	return doc, err
}

// again reports whether the decision might be another one on documents that are read now.
func (q *inquiry) again() bool { return q.recent.renew(q.remembered) }

// until answers how long the decision may stand.
func (q *inquiry) until() time.Time { return q.oldest.Add(q.recent.ttl) }
