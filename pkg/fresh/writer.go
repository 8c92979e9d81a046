package fresh

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// Writer is a store whose writes count for Documents as soon as they are done. It reads from the store itself.
type Writer struct {
	*store.Store
	documents *Documents
}

// Writing answers s with d told of every document that is written through it.
func (d *Documents) Writing(s *store.Store) *Writer { return &Writer{s, d} }

// Put is the store's.
func (w *Writer) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	defer w.documents.Forget(db, doc.ID()) // of a write that failed, too, nobody knows how it ended
	return w.Store.Put(ctx, db, doc)
}

// PutMany is the store's.
func (w *Writer) PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error) {
	defer func() {
		for _, doc := range docs {
			w.documents.Forget(db, doc.ID())
		}
	}()
	return w.Store.PutMany(ctx, db, docs)
}

// Delete is the store's.
func (w *Writer) Delete(ctx context.Context, db, id, rev string) error {
	defer w.documents.Forget(db, id)
	return w.Store.Delete(ctx, db, id, rev)
}

// Update is the store's. Where it finds nothing to change, what is remembered may stay.
func (w *Writer) Update(
	ctx context.Context, db, id string, change func(document.Document) error,
) (document.Document, error) {
	doc, err := w.Store.Update(ctx, db, id, change)
	w.documents.forget(location{db, id}, doc.Rev())
	return doc, err
}
