// Package doccache caches documents that decide requests and rarely change: accounts, users, keys, settings.
//
// Invariant: a document is never older than Options.Staleness, and a write of this process through Writer counts as
// soon as it is done. While the store is away, cached documents are served until they reach that age. Documents that
// do not exist are cached like others. The cache is bounded in bytes.
//
// The package knows documents and databases. It does not know what is in a document, and neither accounts nor tokens
// nor HTTP.
package doccache

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Reader reads documents. A *store.Store is one.
type Reader interface {
	Get(ctx context.Context, db, id string) (document.Document, error)
}

// Options configures a Cache.
type Options struct {
	// Staleness is the greatest age of a document. Zero disables the cache.
	Staleness time.Duration
	// Bytes bounds the memory of the cache approximately. Zero means DefaultBytes.
	Bytes int
}

// DefaultBytes has room for the documents of about ten thousand accounts.
const DefaultBytes = 64 << 20

// Cache caches documents. It is safe for concurrent use. Callers must not modify the documents it returns.
type Cache struct {
	reader    Reader
	staleness time.Duration
	// refreshAfter is the age from which a document is refreshed in the background when it is accessed, so that documents
	// in use survive a short outage of the store.
	refreshAfter time.Duration
	entries      *otter.Cache[key, entry] // nil if the cache is disabled
	writes       atomic.Uint64            // of this process; see Validity
}

type key struct{ db, id string }

// entry is the result of one read.
type entry struct {
	doc      document.Document
	missing  error // the store's error if the document does not exist
	readAt   time.Time
	rereadAt time.Time // if this was an early read; see Decide
}

// New returns a cache of the documents that reader reads.
func New(reader Reader, o Options) *Cache {
	if o.Bytes == 0 {
		o.Bytes = DefaultBytes
	}
	c := &Cache{reader: reader, staleness: o.Staleness, refreshAfter: o.Staleness / 2}
	if c.staleness <= 0 {
		return c
	}
	c.entries = otter.Must(&otter.Options[key, entry]{
		MaximumWeight: uint64(o.Bytes),
		Weigher:       weight,
		// An entry expires by the time at which its read began.
		ExpiryCalculator:  otter.ExpiryWritingFunc(c.expiresAfter),
		RefreshCalculator: otter.RefreshWriting[key, entry](max(c.refreshAfter, 1)),
		// A refresh that fails is tried again by the next read, which fails itself once the document is stale.
		Logger: &otter.NoopLogger{},
	})
	return c
}

func (c *Cache) expiresAfter(e otter.Entry[key, entry]) time.Duration {
	return max(c.staleness-time.Since(e.Value.readAt), 1)
}

// Get returns a document that is not older than the staleness. Concurrent calls for one document share one read. The
// error is the store's, also for a document that is cached as missing.
func (c *Cache) Get(ctx context.Context, db, id string) (document.Document, error) {
	e, err := c.get(ctx, key{db, id})
	if err != nil {
		return nil, err
	}
	return e.doc, e.missing
}

func (c *Cache) get(ctx context.Context, k key) (entry, error) {
	if c.entries == nil {
		return c.read(ctx, k)
	}
	e, err := c.entries.Get(ctx, k, otter.LoaderFunc[key, entry](c.read))
	if err != nil && ctx.Err() != nil {
		err = fault.Wrap(fault.DatastoreUnreachable, err)
	}
	return e, err
}

// read reads a document from the store. It discards the losing revisions of a conflict, which no decision considers.
func (c *Cache) read(ctx context.Context, k key) (entry, error) {
	readAt := time.Now()
	doc, err := c.reader.Get(ctx, k.db, k.id)
	if fault.Is(err, fault.BadIdentifier) || fault.Is(err, fault.DatastoreMissing) {
		return entry{missing: err, readAt: readAt}, nil
	}
	return entry{doc: doc, readAt: readAt}, err
}

// Evict drops a document from the cache. A read that is under way does not put an older one back.
func (c *Cache) Evict(db, id string) {
	c.writes.Add(1)
	if c.entries != nil {
		c.entries.Invalidate(key{db, id})
	}
}

// cached returns the entry of a document if there is one.
func (c *Cache) cached(k key) (entry, bool) {
	if c.entries == nil {
		return entry{}, false
	}
	return c.entries.GetIfPresent(k)
}

// Close ends the cache's goroutines.
func (c *Cache) Close() {
	if c.entries != nil {
		c.entries.StopAllGoroutines()
	}
}

// Bytes returns about how much memory the cached documents take.
func (c *Cache) Bytes() uint64 {
	if c.entries == nil {
		return 0
	}
	return c.entries.WeightedSize()
}
