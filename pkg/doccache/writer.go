package doccache

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Writer is a store whose writes invalidate a cache. It reads from the store itself.
type Writer struct {
	*store.Store
	cache *Cache
}

// Writer returns s with writes that invalidate c. A write that fails invalidates as well: it may have been made.
func (c *Cache) Writer(s *store.Store) *Writer { return &Writer{s, c} }

// Put writes a document as the store does.
func (w *Writer) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	defer w.cache.Evict(db, doc.ID())
	return w.Store.Put(ctx, db, doc)
}

// PutMany writes documents as the store does.
func (w *Writer) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	defer func() {
		for _, doc := range docs {
			w.cache.Evict(db, doc.ID())
		}
	}()
	return w.Store.PutMany(ctx, db, docs)
}

// Delete deletes a document as the store does.
func (w *Writer) Delete(ctx context.Context, db, id, rev string) error {
	defer w.cache.Evict(db, id)
	return w.Store.Delete(ctx, db, id, rev)
}

// Update updates a document as the store does. If change leaves it unchanged, nothing is invalidated: a login, which
// makes sure that a secret is there, would otherwise drop all cached decisions.
func (w *Writer) Update(
	ctx context.Context, db, id string, change func(document.Document) error,
) (document.Document, error) {
	changed := false
	doc, err := w.Store.Update(ctx, db, id, func(doc document.Document) error {
		err := change(doc)
		changed = changed || err == nil
		return err
	})
	// A revision other than the cached one was written elsewhere.
	if e, ok := w.cache.cached(key{db, id}); changed || ok && e.doc.Rev() != doc.Rev() {
		w.cache.Evict(db, id)
	}
	return doc, err
}
