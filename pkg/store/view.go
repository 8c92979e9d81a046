package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/document"
)

// Query says which rows of a view to read. The zero value is all of them, in order.
type Query struct {
	Key      any   // rows of this key only; nil is any
	Keys     []any // rows of these keys, in the order of the keys; nil is any
	StartKey any   // from this key on; nil is the beginning
	// StartKeyDocID is from which document on among those of StartKey; empty is the first. PouchDB ignores it.
	StartKeyDocID string
	EndKey        any // up to and with this key; nil is the end
	Skip, Limit   int // Limit 0 is no limit
	Descending    bool
	Group         bool // one row for each distinct key, its value the view's reduce
	IncludeDocs   bool
}

// Row is one row of a view. It is valid until the function that it is passed to returns.
type Row struct{ rows *kivik.ResultSet }

// ID returns the id of the document that emitted the row; empty for a grouped row.
func (r Row) ID() string {
	id, _ := r.rows.ID()
	return id
}

// Key decodes the row's key.
func (r Row) Key(into any) error { return r.rows.ScanKey(into) }

// Value decodes the row's value. The embedded store reduces a group only when its value is read.
func (r Row) Value(into any) error { return r.rows.ScanValue(into) }

// Doc returns the document that emitted the row, if the query included documents.
func (r Row) Doc() (document.Document, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	return decode(text)
}

// text returns the text of that document.
func (r Row) text() (text json.RawMessage, err error) {
	err = r.rows.ScanDoc(&text)
	return text, err
}

// View passes the rows of a view to each, in order, until each returns an error, which is returned. each must not call
// the store: the embedded store has a read transaction open meanwhile. A database or view that does not exist is
// fault.DatastoreMissing or fault.DatastoreMissingView.
func (s *Store) View(ctx context.Context, db, design, view string, q Query, each func(Row) error) error {
	return s.rows("view", db, design+"/"+view, each, func() *kivik.ResultSet {
		return s.client.DB(db).Query(ctx, design, view, kivik.Params(q.params()))
	})
}

// All passes the documents of a database to each as rows, in the order of their ids, as View does. Included documents
// have losing revisions as those of Get have them.
func (s *Store) All(ctx context.Context, db string, q Query, each func(Row) error) error {
	params := q.params()
	delete(params, "reduce")
	if q.IncludeDocs {
		params["conflicts"] = true
	}
	return s.rows("all", db, "_all_docs", each, func() *kivik.ResultSet {
		return s.client.DB(db).AllDocs(ctx, kivik.Params(params))
	})
}

// rows passes rows to each. An error of each is not a failure of the call.
func (s *Store) rows(operation, db, name string, each func(Row) error, read func() *kivik.ResultSet) error {
	var failed error
	err := s.call(operation, db, func() error {
		rows := read()
		defer func() { _ = rows.Close() }()
		for failed == nil && rows.Next() {
			failed = each(Row{rows})
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return cmp.Or(failed, err)
}

func (q Query) params() map[string]any {
	p := map[string]any{}
	set := func(name string, value any, given bool) {
		if given {
			p[name] = value
		}
	}
	set("key", q.Key, q.Key != nil)
	set("keys", q.Keys, q.Keys != nil)
	set("startkey", q.StartKey, q.StartKey != nil)
	set("startkey_docid", q.StartKeyDocID, q.StartKeyDocID != "")
	set("endkey", q.EndKey, q.EndKey != nil)
	set("skip", q.Skip, q.Skip > 0)
	set("limit", q.Limit, q.Limit > 0)
	set("descending", true, q.Descending)
	set("include_docs", true, q.IncludeDocs)
	p["reduce"] = q.Group
	set("group", true, q.Group)
	return p
}
