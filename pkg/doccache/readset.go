package doccache

import (
	"context"
	"time"

	"junctor/pkg/document"
)

// ReadSet reads the documents that one decision is made by, and knows how long the decision may be cached. It is for
// one goroutine.
type ReadSet struct {
	cache    *Cache
	validity Validity
	read     []read
}

type read struct {
	key key
	at  time.Time
}

// Validity says how long a decision may be cached: while the oldest document it was made by may be, and until this
// process writes a document. The zero Validity is over.
type Validity struct {
	writes  uint64
	expires time.Time
}

// ReadSet returns an empty read set.
func (c *Cache) ReadSet() *ReadSet {
	return &ReadSet{cache: c, validity: Validity{writes: c.writes.Load(), expires: time.Now().Add(c.staleness)}}
}

// Get returns a document as Cache.Get does.
func (r *ReadSet) Get(ctx context.Context, db, id string) (document.Document, error) {
	k := key{db, id}
	e, err := r.cache.get(ctx, k)
	if err != nil {
		return nil, err
	}
	r.read = append(r.read, read{k, e.readAt})
	if expires := e.readAt.Add(r.cache.staleness); expires.Before(r.validity.expires) {
		r.validity.expires = expires
	}
	return e.doc, e.missing
}

// Validity returns how long a decision by the documents read so far may be cached.
func (r *ReadSet) Validity() Validity { return r.validity }

// Valid reports whether a decision may still be used.
func (c *Cache) Valid(v Validity) bool {
	return v.writes == c.writes.Load() && time.Now().Before(v.expires)
}

// rereadPause is the least age of a document that Outdated drops. It keeps bad tokens from causing reads at will.
const rereadPause = time.Second

// Outdated drops those documents of the set from the cache that were read more than a second ago, and reports whether
// there were any. A caller that is about to refuse something calls it and decides once more: the document that speaks
// against it may just have changed.
func (r *ReadSet) Outdated() bool {
	dropped := false
	for _, read := range r.read {
		if time.Since(read.at) >= rereadPause {
			r.cache.entries.Invalidate(read.key)
			dropped = true
		}
	}
	return dropped
}
