package dedicatedip

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// memory is what a pool that follows the store knows without asking it.
type memory struct {
	index     *index
	staleness time.Duration             // how far the index may be behind
	asOf      atomic.Pointer[time.Time] // everything written before is in the index; nil is not loaded yet
	behind    atomic.Bool               // somebody was sent to the store for that
	missed    atomic.Uint64             // how many were

	documents *lru.Cache[string, document.Document] // of the pool by id, as last read or written
	copies    *lru.Cache[copyName, string]          // revisions of copies that this process wrote last
	tended    *lru.Cache[copyName, string]          // revisions of the pool that they were written for
	checks    *checks
}

// The sizes of what is remembered beside the index.
const (
	mostDocuments = 4096
	mostCopies    = 16384
)

func newMemory(staleness time.Duration, c *checks) *memory {
	m := &memory{index: newIndex(), staleness: staleness, checks: c}
	m.documents, _ = lru.New[string, document.Document](mostDocuments) // fails for sizes below 1 only
	m.copies, _ = lru.New[copyName, string](mostCopies)
	m.tended, _ = lru.New[copyName, string](mostCopies)
	return m
}

// Follow reads the whole pool into memory and keeps that current with what other processes write, until ctx ends.
// Reads are answered from there unless it is more than staleness behind; then the store is asked. What this process
// writes through the pool is in it before the write is answered.
func (p *Pool) Follow(ctx context.Context, staleness time.Duration) {
	m, since := newMemory(staleness, newChecks()), ""
	p.memory.Store(m)
	defer p.memory.Store(nil)
	defer p.verifying(ctx, m.checks)()
	for wait := firstPause; ctx.Err() == nil; wait = min(2*wait, lastPause) {
		err := p.store.Changes(ctx, Database, since, func(c store.Change) error {
			since, wait = c.Seq, firstPause
			return p.learn(ctx, m, c)
		}, func(asOf time.Time) {
			wait = firstPause
			p.told(ctx, m, asOf)
		})
		if ctx.Err() != nil {
			return
		}
		if fault.Is(err, fault.DatastoreMissing) { // what was known is of a database that is gone
			m, since = newMemory(staleness, m.checks), ""
			p.memory.Store(m)
		}
		p.log.Warn().Err(err).Dur("pause", wait).Msg("the change feed of the dedicated IPs broke off; trying again")
		_ = sleep(ctx, wait)
	}
}

// learn takes in what the feed tells. Of conflicts on a CouchDB cluster nobody may hear otherwise.
func (p *Pool) learn(ctx context.Context, m *memory, c store.Change) error {
	if !c.MayConflict() && m.index.confirm(c.ID, c.Rev) {
		return nil
	}
	doc, err := c.Doc()
	if err == nil {
		m.index.applyChange(doc)
		p.settle(ctx, doc)
	}
	return err
}

// told takes note that the feed has told everything written before asOf. What this process wrote before, and the feed
// has not told since, it had told when that was noted: whatever came after it is in the store.
func (p *Pool) told(ctx context.Context, m *memory, asOf time.Time) {
	if overdue := m.index.overdue(asOf); len(overdue) > 0 {
		docs, err := p.store.GetMany(ctx, Database, slices.Collect(maps.Keys(overdue)))
		if err != nil {
			return // the index gets older until this succeeds
		}
		m.index.correct(overdue, docs)
	}
	m.current(asOf)
}

// current takes note that everything written before asOf is in the index.
func (m *memory) current(asOf time.Time) { m.asOf.Store(&asOf) }

// age is how far the index is behind at most; ok is false where it is not loaded yet.
func (m *memory) age() (age time.Duration, ok bool) {
	asOf := m.asOf.Load()
	if asOf == nil {
		return 0, false
	}
	return time.Since(*asOf), true
}

// fresh answers what reads can be answered from, nil where that is for the store to do.
func (p *Pool) fresh() *memory {
	m := p.memory.Load()
	if m == nil {
		return nil
	}
	why := p.unfit(m)
	if why == "" {
		if m.behind.Swap(false) {
			p.log.Info().Msg("reads of dedicated IPs are answered from memory again")
		}
		return m
	}
	m.missed.Add(1)
	if !m.behind.Swap(true) {
		p.log.Warn().Str("why", why).Msg("reads of dedicated IPs go to the store, which is slower")
	}
	return nil
}

// unfit answers why reads can't be answered from memory, empty where they can.
func (p *Pool) unfit(m *memory) string {
	age, loaded := m.age()
	if !loaded {
		return "the pool is being read"
	}
	if age > m.staleness {
		return "the change feed is behind by " + age.Round(time.Millisecond).String()
	}
	if id := m.index.anyIrregular(); id != "" {
		return "the zone, host, status or holder of document " + id + " is no text"
	}
	return ""
}

// FromMemory reports whether reads are answered from memory at the moment.
func (p *Pool) FromMemory() bool {
	m := p.memory.Load()
	return m != nil && p.unfit(m) == ""
}

// Behind reports whether the pool is to answer reads from memory and cannot at the moment.
func (p *Pool) Behind() bool {
	m := p.memory.Load()
	return m != nil && p.unfit(m) != ""
}

// wrote takes note of documents that this process has written, or with "_deleted" removed. They are not to be altered
// any more.
func (p *Pool) wrote(docs ...document.Document) {
	m := p.memory.Load()
	if m == nil {
		return
	}
	for _, doc := range docs {
		m.index.applyWrite(doc)
		if doc.Bool("_deleted") {
			m.documents.Remove(doc.ID())
		} else {
			m.documents.Add(doc.ID(), doc)
		}
	}
}

// saw takes note of a document that was just read. It is not to be altered any more.
func (p *Pool) saw(doc document.Document) {
	if m := p.memory.Load(); m != nil {
		m.index.applyRead(doc)
		m.documents.Add(doc.ID(), doc)
	}
}

// forget has a document read again before it is written.
func (p *Pool) forget(id string) {
	if m := p.memory.Load(); m != nil {
		m.documents.Remove(id)
	}
}

// Memory is a look at what the pool keeps in memory, for metrics.
type Memory struct {
	Loaded   bool
	Age      time.Duration // how far behind the store it is at most
	Entries  int           // of the pool
	Kept     int           // documents and revisions of copies beside it
	Bypassed uint64        // reads that went to the store
}

// Memory answers how things are; ok is false where the pool does not follow the store.
func (p *Pool) Memory() (look Memory, ok bool) {
	m := p.memory.Load()
	if m == nil {
		return Memory{}, false
	}
	look.Age, look.Loaded = m.age()
	look.Entries = m.index.length()
	look.Kept = m.documents.Len() + m.copies.Len()
	look.Bypassed = m.missed.Load()
	return look, true
}
