package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/go-kivik/kivik/v4/driver"
)

// Query lists the rows of a view, or with group=true its distinct keys with their reduced values.
func (d *database) Query(ctx context.Context, ddoc, view string, options driver.Options) (driver.Rows, error) {
	q := &viewQuery{query: query{Limit: noLimit}}
	if err := readOptions(options, q); err != nil {
		return nil, err
	}
	var written uint64 // when the query began
	for {
		rows, err := d.query(ctx, &q.query, func(c contents, r *rows) (source, error) {
			if written == 0 {
				written = c.updateSeq()
			}
			return d.queryView(c, r, q, designPrefix+ddoc, view, written)
		})
		if !errors.Is(err, errOutdated) {
			return rows, err
		}
		if err := d.refresh(ctx, d.indexOf(designPrefix+ddoc)); err != nil {
			return nil, err
		}
	}
}

// queryView returns the rows of a view that a query selects. It returns errOutdated if the index lacks something of what
// was written up to a sequence.
func (d *database) queryView(c contents, r *rows, q *viewQuery, ddocID, view string, written uint64) (source, error) {
	v, err := d.openView(c, ddocID, view)
	if err != nil {
		return nil, err
	}
	if v.reached < written {
		return nil, errOutdated
	}
	reduce, err := q.reduces(v.reducer)
	if err != nil {
		return nil, err
	}
	spans, err := q.viewSpans()
	if err != nil {
		return nil, err
	}
	r.scan = newScan(v.rows, spans, q.Descending)
	if reduce {
		return r.groups(v), nil
	}
	return r.scan.emitted(c, q), nil
}

// openView returns a view of a design document.
func (d *database) openView(c contents, ddocID, view string) (*openedView, error) {
	name := c.part(designsBucket).Get([]byte(ddocID))
	if name == nil {
		_, err := c.leaf(ddocID, "") // says missing or deleted
		return nil, err
	}
	if len(name) == 0 {
		return nil, errNoView
	}
	ix, err := d.readIndex(c, string(name))
	if err != nil {
		return nil, err
	}
	rows := c.index(ix.name).view(view)
	if rows == nil {
		return nil, errNoView
	}
	return &openedView{rows: rows, reducer: ix.program.reduces[view], reached: ix.reached}, nil
}

// emitted returns rows as the map function emitted them.
func (s *scan) emitted(c contents, q *viewQuery) source {
	return func(row *driver.Row) (bool, error) {
		if !s.next() {
			return false, nil
		}
		stored, err := readRow(s.k, s.v)
		if err != nil {
			return false, err
		}
		row.ID = stored.id
		row.Key = bytes.Clone(stored.key)
		row.Value = bytes.NewReader(bytes.Clone(stored.value))
		if !q.Docs {
			return true, nil
		}
		id := linkedDocument(stored)
		r, err := c.record(id)
		if err != nil {
			return false, err
		}
		row.Doc = bytes.NewReader(liveDocument(id, r))
		return true, nil
	}
}

// linkedDocument is the id of the document to include: the one that emitted the row, unless the value names one.
func linkedDocument(r storedRow) string {
	var link struct {
		ID *string `json:"_id"`
	}
	if bytes.Contains(r.value, []byte(`"_id"`)) && json.Unmarshal(r.value, &link) == nil && link.ID != nil {
		return *link.ID
	}
	return r.id
}
