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

// pageBytes bounds the documents of a page, in bytes of JSON: with the document that exceeds it, the page ends.
const pageBytes = 4 << 20

var errPageFull = errors.New("the page is full")

// AllPages reads all documents of a database, at most size of them and some megabytes in one request, and passes them to
// page, in the order of their ids. page may call the store. A read that makes no progress ends with ErrNoProgress.
func AllPages(
	ctx context.Context, l Lister, db string, size int, page func(docs []document.Document) error,
) error {
	return allPages(ctx, l, db, size, pageBytes, page)
}

func allPages(
	ctx context.Context, l Lister, db string, size, pageBytes int, page func(docs []document.Document) error,
) error {
	q := Query{Limit: size, IncludeDocs: true}
	for first, last := "", ""; ; {
		var docs []document.Document
		rows, length := 0, 0
		err := l.All(ctx, db, q, func(row Row) error {
			rows++
			if row.ID() == last {
				return nil
			}
			text, err := row.text()
			if err != nil {
				return err
			}
			doc, err := decode(text)
			docs = append(docs, doc)
			if length += len(text); err == nil && length > pageBytes {
				err = errPageFull
			}
			return err
		})
		isFull := errors.Is(err, errPageFull)
		if err != nil && !isFull {
			return err
		}
		if len(docs) == 0 {
			return nil
		}
		if docs[0].ID() == first {
			return fault.Wrap(fault.DatastoreFault, fmt.Errorf("%w: _all_docs of database %s", ErrNoProgress, db))
		}
		if err := page(docs); err != nil || rows < q.Limit && !isFull {
			return err
		}
		first, last = docs[0].ID(), docs[len(docs)-1].ID()
		q.Limit, q.StartKey = size+1, last
	}
}
