package dedicatedip

import (
	"context"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"junctor/pkg/document"
	"junctor/pkg/mirror"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// memory is what a pool that follows the store has in memory.
type memory struct {
	index     *poolindex.Index
	mirror    *mirror.Mirror
	staleness time.Duration // how far the index may be behind; 0 means that reads never use it
	behind    atomic.Bool   // whether the last read went to the store for that
	bypassed  atomic.Uint64 // how many reads did

	documents *documentCache
}

// documentCache has documents of the pool by id, as this process has written them. They must not be altered. Documents that
// were read are not cached: a node that is cut off from the others may have returned one that loses when it is connected
// again, and then all nodes accept a write over it.
type documentCache = lru.Cache[string, document.Document]

// mostDocuments bounds the documents that are cached beside the index.
const mostDocuments = 4096

// Follow reads the whole pool into memory and follows what other processes write, until ctx ends. Reads are served from
// memory unless it is more than staleness behind; then they go to the store. What this process writes through the pool
// is in memory before the write returns. Accounts' copies follow what others write while the projector runs.
func (p *Pool) Follow(ctx context.Context, staleness time.Duration) {
	m := &memory{index: poolindex.New(), staleness: staleness}
	m.documents, _ = lru.New[string, document.Document](mostDocuments) // fails for sizes below 1 only
	m.mirror = mirror.New(p.store, Database, m.index, mirror.Options{
		Changed: func(doc document.Document) {
			p.projector.Observe(doc, m.index.Holder(doc.ID()))
			p.options.History.Observe(doc)
		},
		Reloaded: p.reloaded,
		Current:  p.options.History.Passed,
		Conflict: p.resolve,
		Log:      p.options.Log,
	})
	p.memory.Store(m)
	defer p.memory.Store(nil)
	m.mirror.Run(ctx)
}

// reloaded records that changes by others were not observed one by one.
func (p *Pool) reloaded() {
	p.projector.RequestPass()
	p.options.History.Reloaded()
}

// resolve removes the losing revisions of a document, as the feed of a CouchDB cluster reports them. Before that it queues
// the copies in the accounts that they name: once a revision is removed, they can't be found. No request waits for it.
func (p *Pool) resolve(ctx context.Context, c store.Change) error {
	doc, err := c.Doc()
	if err != nil || doc["_conflicts"] == nil {
		return err
	}
	err = p.store.Resolve(ctx, Database, doc, func(loser document.Document) {
		p.projector.Compare(loser.String(fieldAssignedTo), []string{doc.ID()})
		p.options.Log.Warn().Str("ip", doc.ID()).Str("winner", doc.Rev()).Str("loser", loser.Rev()).
			Str("holder", doc.String(fieldAssignedTo)).Str("lost", loser.String(fieldAssignedTo)).
			Msg("a CouchDB cluster has accepted two writers of one address; the losing revision is removed")
	})
	if err != nil {
		p.options.Log.Error().Err(err).Str("ip", doc.ID()).Msg("a losing revision could not be removed")
	}
	return nil
}

// longestSilence is how long the change feed may be silent before what others write counts as unknown.
const longestSilence = 3 * time.Second

// isCurrent reports whether memory has a document in its revision, or with "_deleted" has none of its id. It is false if
// the pool is not in memory, or if others may have written without being observed.
func (p *Pool) isCurrent(doc document.Document) bool {
	m := p.memory.Load()
	if m == nil || time.Since(m.mirror.AsOf()) > longestSilence { // AsOf is zero until the pool is loaded
		return false
	}
	rev := m.index.Revision(doc.ID())
	if doc.Bool("_deleted") {
		return rev == ""
	}
	return rev == doc.Rev()
}

// wrote has memory hold a document that this process has written, or with "_deleted" removed. It must not be altered
// afterwards.
func (p *Pool) wrote(doc document.Document) {
	p.options.History.Observe(doc)
	m := p.memory.Load()
	if m == nil {
		return
	}
	m.mirror.Wrote(doc)
	if doc.Bool("_deleted") {
		m.documents.Remove(doc.ID())
	} else {
		m.documents.Add(doc.ID(), doc)
	}
}

// saw has memory hold a document that was just read, and the copies compared of the account that held the address before.
// It must not be altered afterwards.
func (p *Pool) saw(doc document.Document) {
	if m := p.memory.Load(); m != nil {
		m.mirror.Saw(doc)
	}
}

// evict evicts a document from the cache, so that it is read again before it is written.
func (p *Pool) evict(id string) {
	if m := p.memory.Load(); m != nil {
		m.documents.Remove(id)
	}
}

// Memory is the state of the pool in memory, for metrics.
type Memory struct {
	Loaded   bool
	Age      time.Duration // how far behind the store it is at most
	Entries  int           // of the pool
	Bypassed uint64        // reads that went to the store
}

// Memory returns the state of the pool in memory. ok is false if the pool does not follow the store.
func (p *Pool) Memory() (look Memory, ok bool) {
	m := p.memory.Load()
	if m == nil {
		return Memory{}, false
	}
	if asOf := m.mirror.AsOf(); !asOf.IsZero() {
		look.Loaded, look.Age = true, time.Since(asOf)
	}
	look.Entries = m.index.Len()
	look.Bypassed = m.bypassed.Load()
	return look, true
}
