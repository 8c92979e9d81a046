package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/go-kivik/kivik/v4/driver"

	"junctor/pkg/document"
)

// AllDocs lists documents by id.
func (d *database) AllDocs(ctx context.Context, options driver.Options) (driver.Rows, error) {
	q := &query{Limit: noLimit}
	if err := readOptions(options, q); err != nil {
		return nil, err
	}
	within, err := q.idSpan()
	if err != nil {
		return nil, err
	}
	return d.query(ctx, q, func(c contents, r *rows) (source, error) {
		if q.Keys != nil {
			return c.keyedDocs(q), nil
		}
		r.scan = newScan(c.part(docsBucket), []span{within}, q.Descending)
		return r.scan.docs(q), nil
	})
}

// docs returns documents in the order of their ids.
func (s *scan) docs(q *query) source {
	return func(row *driver.Row) (bool, error) {
		if !s.next() {
			return false, nil
		}
		r, err := decodeRecord(s.v)
		if err != nil {
			return false, err
		}
		describeDocument(row, string(s.k), r, q.Docs)
		return true, nil
	}
}

// docValue is the value of a row of _all_docs.
type docValue struct {
	Rev     string `json:"rev"`
	Deleted bool   `json:"deleted,omitempty"`
}

func describeDocument(row *driver.Row, id string, r *record, includeDocs bool) {
	value, _ := json.Marshal(docValue{r.rev, r.deleted}) // it cannot fail
	row.ID = id
	row.Key = document.AppendString(nil, id)
	row.Value = bytes.NewReader(value)
	if includeDocs {
		row.Doc = bytes.NewReader(liveDocument(id, r))
	}
}

// liveDocument returns the document of a row, null if it was deleted.
func liveDocument(id string, r *record) []byte {
	if r == nil || r.deleted {
		return []byte("null")
	}
	return r.document(id)
}

// keyedDocs returns the documents of the given ids, in that order, including those that are missing or deleted.
func (c contents) keyedDocs(q *query) source {
	keys := q.Keys
	return func(row *driver.Row) (bool, error) {
		if len(keys) == 0 {
			return false, nil
		}
		var id string
		var r *record
		if json.Unmarshal(keys[0], &id) == nil && id != "" {
			var err error
			if r, err = c.record(id); err != nil {
				return false, err
			}
		}
		if r == nil {
			row.Key = keys[0]
			row.Error = &Error{http.StatusNotFound, "not_found"}
		} else {
			describeDocument(row, id, r, q.Docs)
		}
		keys = keys[1:]
		return true, nil
	}
}
