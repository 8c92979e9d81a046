package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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

// ViewPages reads all rows of a view, at most size of them in one request, and passes the ids of the documents that
// emitted them to page, in the order of the rows. page may call the store. An id is passed once where the rows of its
// document follow each other.
//
// Keys may be any JSON. Rows of one key may fill more than a page, except on a server that does not know
// startkey_docid (PouchDB). A read that makes no progress ends with ErrNoProgress.
func ViewPages(
	ctx context.Context, v Viewer, db, design, view string, size int, page func(ids []string) error,
) error {
	name := fmt.Sprintf("view %s/%s of database %s", design, view, db)
	return pages(name, size, func(q Query, each func(Row) error) error {
		return v.View(ctx, db, design, view, q, each)
	}, page)
}

// AllPages reads the ids of all documents of a database as ViewPages does those of a view.
func AllPages(ctx context.Context, l Lister, db string, size int, page func(ids []string) error) error {
	return pages("_all_docs of database "+db, size, func(q Query, each func(Row) error) error {
		q.StartKeyDocID = "" // the key is the id
		return l.All(ctx, db, q, each)
	}, page)
}

// position identifies a row.
type position struct{ key, id string }

// Progress notices a paged read that repeats itself. The zero value is ready for one read.
type Progress struct{ starts map[position]bool }

// After returns q for the rows from that one on. Where a page has begun there before, that is ErrNoProgress.
func (p *Progress) After(q Query, key json.RawMessage, id string) (Query, error) {
	at := position{string(key), id}
	if p.starts[at] {
		return q, fault.Wrap(fault.DatastoreFault, fmt.Errorf("%w: two pages begin at key %s, document %q",
			ErrNoProgress, key, id))
	}
	if p.starts == nil {
		p.starts = map[position]bool{}
	}
	p.starts[at] = true
	q.StartKey, q.StartKeyDocID = key, id
	return q, nil
}

func pages(name string, size int, read func(Query, func(Row) error) error, page func([]string) error) error {
	q := Query{Limit: size}
	var progress Progress
	last := ""                    // the last id that was passed on
	before := map[position]bool{} // the rows of the page before, some of which come again
	for {
		var rows []position
		err := read(q, func(row Row) error {
			var key json.RawMessage
			err := row.Key(&key)
			rows = append(rows, position{string(key), row.ID()})
			return err
		})
		if err != nil {
			return err
		}
		var ids []string
		for _, row := range rows {
			if !before[row] && row.id != last {
				last = row.id
				ids = append(ids, row.id)
			}
		}
		if len(ids) > 0 {
			if err := page(ids); err != nil {
				return err
			}
		}
		if len(rows) < q.Limit {
			return nil
		}
		next := rows[len(rows)-1]
		if q, err = progress.After(Query{Limit: size + 1}, json.RawMessage(next.key), next.id); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		before = make(map[position]bool, len(rows))
		for _, row := range rows {
			before[row] = true
		}
	}
}
