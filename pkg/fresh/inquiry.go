package fresh

import (
	"context"
	"time"

	"junctor/pkg/document"
)

// Inquiry reads the documents that one decision is made by, and takes them down. It is for one goroutine.
type Inquiry struct {
	documents  *Documents
	began      time.Time
	basis      Basis
	remembered []location // those that were read before the inquiry began
}

// Basis is what a decision was made by: documents, each of a revision, or that there are none.
type Basis []footing

type footing struct {
	at       location
	revision string
}

// Inquire begins an inquiry.
func (d *Documents) Inquire() *Inquiry { return &Inquiry{documents: d, began: time.Now()} }

// Get answers a document as Documents does.
func (q *Inquiry) Get(ctx context.Context, db, id string) (document.Document, error) {
	at := location{db, id}
	r, err := q.documents.get(ctx, at, q.began)
	if err != nil {
		return nil, err
	}
	if r.began.Before(q.began) {
		q.remembered = append(q.remembered, at)
	}
	q.basis = append(q.basis, footing{at, r.revision()})
	return r.doc, r.missing
}

// Basis answers what the inquiry has read.
func (q *Inquiry) Basis() Basis { return q.basis }

// Until answers how long a decision may stand that something besides its documents went into.
func (q *Inquiry) Until() time.Time { return q.began.Add(q.documents.options.Staleness) }

// renewPause bounds how often a document is read before its time, so that bad tokens can't hammer the store.
const renewPause = time.Second

// Again reports whether the decision might be another one on documents that are read now, which they will be for the
// next inquiry: those that were only remembered, and of which that was not asked a moment ago.
func (q *Inquiry) Again() (some bool) {
	d, now := q.documents, time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range q.remembered {
		if s := d.memory.find(at); s != nil && now.Sub(s.renewed) >= renewPause {
			s.renewed, s.outdated, some = now, now, true
		}
	}
	return some
}

// Stands reports whether all documents that a decision was made by are still what they were then, without reading
// any.
func (d *Documents) Stands(b Basis) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for _, f := range b {
		s := d.memory.find(f.at)
		if s == nil || !d.serves(s, now, now) || s.revision() != f.revision {
			return false
		}
	}
	d.hits += uint64(len(b))
	return true
}
