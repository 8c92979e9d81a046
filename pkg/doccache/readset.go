package doccache

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// ReadSet reads the documents that one decision is made by, and knows how long the decision may be cached. It is for
// one goroutine.
type ReadSet struct {
	cache    *Cache
	began    time.Time
	validity Validity
	read     []reading
}

// reading is one read of a decision: of which document, and how old it was.
type reading struct {
	key
	readAt time.Time
}

// Validity says how long a decision may be cached: as long as the oldest document it was made by, and until this process
// writes a document. The zero Validity is over.
type Validity struct {
	writes uint64
	readAt time.Time // of the oldest document
}

// ReadSet returns an empty read set.
func (c *Cache) ReadSet() *ReadSet {
	began := time.Now()
	return &ReadSet{cache: c, began: began, validity: Validity{writes: c.writes.Load(), readAt: began}}
}

// Get returns a document as Cache.Get does.
func (r *ReadSet) Get(ctx context.Context, db, id string) (document.Document, error) {
	k := key{db, id}
	e, err := r.cache.get(ctx, k)
	if err != nil {
		return nil, err
	}
	r.read = append(r.read, reading{k, e.readAt})
	if e.readAt.Before(r.validity.readAt) {
		r.validity.readAt = e.readAt
	}
	return e.doc, e.missing
}

// Validity returns how long a decision by the documents read so far may be cached.
func (r *ReadSet) Validity() Validity { return r.validity }

// Valid reports whether a decision may still be used.
func (c *Cache) Valid(v Validity) bool {
	return v.writes == c.writes.Load() && time.Since(v.readAt) < c.staleness
}

// Due reports whether a valid decision should be made again if that is possible: its documents are due for a refresh,
// which the new decision starts.
func (c *Cache) Due(v Validity) bool { return time.Since(v.readAt) >= c.refreshAfter }

// rereadPause is the least time between two early reads of a document. It keeps bad tokens from reading at will.
const rereadPause = time.Second

// Decide returns what decide does by the documents of a new ReadSet. If that is a refusal, an error of the kind refused,
// and documents were cached, Decide reads these again, each at most once a second, and calls decide once more: what
// speaks against it may just have changed.
func Decide[T any](
	ctx context.Context, c *Cache, refused fault.Kind, decide func(*ReadSet) (T, error),
) (T, error) {
	r := c.ReadSet()
	decision, err := decide(r)
	if fault.Is(err, refused) && r.reread(ctx) {
		return decide(c.ReadSet())
	}
	return decision, err
}

// reread reads documents that were cached again and reports whether there is anything new to decide by.
func (r *ReadSet) reread(ctx context.Context) bool {
	var pending []<-chan otter.RefreshResult[key, entry]
	replaced := false
	for _, seen := range r.read {
		e, ok := r.cache.cached(seen.key)
		switch {
		case !seen.readAt.Before(r.began): // it was read for this decision
		case !ok || e.readAt.After(seen.readAt): // another request has read it meanwhile, or it is out of the cache
			replaced = true
		case time.Since(e.rereadAt) >= rereadPause:
			early := otter.LoaderFunc[key, entry](r.cache.readEarly)
			pending = append(pending, r.cache.entries.Refresh(ctx, seen.key, early))
		}
	}
	for _, result := range pending {
		select {
		case <-result:
		case <-ctx.Done():
			return false
		}
	}
	return replaced || len(pending) > 0
}

// readEarly reads a document for reread.
func (c *Cache) readEarly(ctx context.Context, k key) (entry, error) {
	e, err := c.read(ctx, k)
	e.rereadAt = e.readAt
	return e, err
}
