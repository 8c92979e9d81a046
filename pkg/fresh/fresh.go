// Package fresh answers documents from memory that are as good as read just now: the same handful decides every
// request of a client, and it hardly ever changes.
//
// What was read stands for a moment (Options.Staleness), and then for as long as its database has not been written
// to, which Follow learns from the heads of the databases' change feeds. Where it can't learn that, because nobody
// follows, the store is slow or away, or the database is busy, documents are read again. Nothing older is answered.
//
// The package knows documents, databases and feeds. What is in a document is others' business, and neither accounts
// nor tokens nor HTTP are known here.
package fresh

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Reader reads documents; *store.Store is one.
type Reader interface {
	Get(ctx context.Context, db, id string) (document.Document, error)
}

// Options adjusts Documents. With the zero value every document is read whenever it is asked for.
type Options struct {
	// Staleness is how old an answer may be. It counts for what others write: see Writer for what we write.
	Staleness time.Duration
	// Bytes is about how much memory the documents may take; 0 is DefaultBytes.
	Bytes int
	// Log is told when feeds can't be followed.
	Log zerolog.Logger
}

// DefaultBytes is room for the documents of some ten thousand accounts in use.
const DefaultBytes = 64 << 20

// Documents answers documents. It is safe for concurrent use. Nobody may alter what it answers.
type Documents struct {
	from    Reader
	options Options

	mu           sync.Mutex
	memory       *memory
	databases    map[string]*database // those that are followed
	followed     time.Time            // as of when all of them were, last
	hits, misses uint64
}

// New answers the documents that are read through from.
func New(from Reader, o Options) *Documents {
	if o.Bytes == 0 {
		o.Bytes = DefaultBytes
	}
	return &Documents{
		from: from, options: o, memory: newMemory(o.Bytes),
		databases: map[string]*database{}, followed: time.Now(),
	}
}

// Get answers a document. That there is none is remembered, too, and answered in the store's words.
func (d *Documents) Get(ctx context.Context, db, id string) (document.Document, error) {
	r, err := d.get(ctx, location{db, id}, time.Now())
	if err != nil {
		return nil, err
	}
	return r.doc, r.missing
}

// get answers a reading of a document that began after asked, or that still stands. However many ask for a document
// at once, one of them reads it.
func (d *Documents) get(ctx context.Context, at location, asked time.Time) (reading, error) {
	s, r, ok := d.recall(at, asked)
	if ok {
		return r, nil
	}
	select {
	case s.busy <- struct{}{}:
	case <-ctx.Done():
		return reading{}, fault.Wrap(fault.DatastoreUnreachable, ctx.Err())
	}
	defer func() { <-s.busy }()
	if r, ok := d.look(s, asked); ok {
		return r, nil // another has just read it
	}
	return d.read(ctx, s)
}

// recall answers the slot of a document, with what it holds and whether that will do.
func (d *Documents) recall(at location, asked time.Time) (*slot, reading, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.memory.slot(at)
	ok := d.serves(s, asked, time.Now())
	if ok {
		d.hits++
	} else {
		d.misses++
	}
	return s, s.reading, ok
}

// look answers what a slot holds by now, and whether that will do.
func (d *Documents) look(s *slot, asked time.Time) (reading, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return s.reading, d.serves(s, asked, time.Now())
}

// serves reports whether the reading in a slot will do for one who asked at that time. The clock is not one that
// may be set: that could jump.
func (d *Documents) serves(s *slot, asked, now time.Time) bool {
	if s.began.IsZero() || s.began.Before(s.outdated) {
		return false
	}
	if !s.began.Before(asked) {
		return true
	}
	// Who waits for a slot that was put out meanwhile may have read something later in the one that took its place.
	return !s.evicted && now.Sub(d.standing(s, now)) < d.options.Staleness
}

// read fills a slot. A store that does not answer leaves no trace.
func (d *Documents) read(ctx context.Context, s *slot) (reading, error) {
	r := reading{began: time.Now()}
	doc, err := d.from.Get(ctx, s.at.db, s.at.id)
	switch {
	case err == nil:
		r.doc = doc
	case missing(err):
		r.missing = err
	default:
		return reading{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.reading = r
	d.memory.place(s)
	if r.missing == nil { // nobody makes us follow databases that do not exist
		d.follow(s.at.db)
	}
	return r, nil
}

func missing(err error) bool {
	return fault.Is(err, fault.BadIdentifier) || fault.Is(err, fault.DatastoreMissing)
}

// Forget has a document read anew for whoever asks from now on.
func (d *Documents) Forget(db, id string) { d.forget(location{db, id}, "") }

// forget forgets all but a revision of a document.
func (d *Documents) forget(at location, but string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.memory.find(at); s != nil && (but == "" || s.revision() != but) {
		s.outdated = time.Now()
	}
}

// Stats is how the memory is getting on.
type Stats struct {
	Known, Absent int       // documents that are remembered, and those of which it is remembered that there are none
	Bytes         int       // about what they take
	Hits, Misses  uint64    // documents that were answered from memory, and those that had to be read
	Followed      time.Time // as of when the databases in use were all followed, last
}

// Stats answers how the memory is getting on.
func (d *Documents) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Stats{
		Known: d.memory.known.Len(), Absent: d.memory.absent.Len(), Bytes: d.memory.size(),
		Hits: d.hits, Misses: d.misses, Followed: d.followed,
	}
}
