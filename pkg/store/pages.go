package store

import (
	"context"
	"errors"
	"fmt"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Viewer reads views; *Store is one.
type Viewer interface {
	View(ctx context.Context, db, design, view string, q Query, each func(Row) error) error
}

// Lister reads the documents of a database; *Store is one.
type Lister interface {
	All(ctx context.Context, db string, q Query, each func(Row) error) error
}

// ErrNoProgress is the cause of the error with which a paged read ends that would read the same rows for ever.
var ErrNoProgress = errors.New("paging makes no progress")

// AllPages reads all documents of a database, at most size of them in one request, and passes them to page, in the order
// of their ids. page may call the store. A read that makes no progress ends with ErrNoProgress.
func AllPages(
	ctx context.Context, l Lister, db string, size int, page func(docs []document.Document) error,
) error {
	q := Query{Limit: size, IncludeDocs: true}
	for first, last := "", ""; ; {
		var docs []document.Document
		err := l.All(ctx, db, q, func(row Row) error {
			doc, err := row.Doc()
			docs = append(docs, doc)
			return err
		})
		if err != nil {
			return err
		}
		isLast := len(docs) < q.Limit
		if len(docs) > 0 && docs[0].ID() == last {
			docs = docs[1:]
		}
		if len(docs) == 0 {
			return nil
		}
		if docs[0].ID() == first {
			return fault.Wrap(fault.DatastoreFault, fmt.Errorf("%w: _all_docs of database %s", ErrNoProgress, db))
		}
		if err := page(docs); err != nil || isLast {
			return err
		}
		first, last = docs[0].ID(), docs[len(docs)-1].ID()
		q.Limit, q.StartKey = size+1, last
	}
}
