package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/go-kivik/kivik/v4/driver"
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
	return d.query(ctx, q, func(c contents, _ *rows) (source, error) {
		if q.Keys != nil {
			return &keyedDocs{contents: c, keys: q.Keys, at: -1, includeDocs: q.Docs}, nil
		}
		return &docRows{scan: newScan(c.part(docsBucket), []span{within}, q.Descending), includeDocs: q.Docs}, nil
	})
}

// docRows are documents in the order of their ids.
type docRows struct {
	*scan
	includeDocs bool
}

func (s *docRows) advance() (bool, error) { return s.next(), nil }

func (s *docRows) row(row *driver.Row) error {
	r, err := decodeRecord(s.v)
	if err != nil {
		return err
	}
	describeDocument(row, string(s.k), r, s.includeDocs)
	return nil
}

// docValue is the value of a row of _all_docs.
type docValue struct {
	Rev     string `json:"rev"`
	Deleted bool   `json:"deleted,omitempty"`
}

func describeDocument(row *driver.Row, id string, r *record, includeDocs bool) {
	value, _ := json.Marshal(docValue{r.rev, r.deleted}) // it cannot fail
	row.ID = id
	row.Key = quote(id)
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

// keyedDocs are the documents of the given ids, in that order, including those that are missing or deleted.
type keyedDocs struct {
	contents    contents
	keys        []json.RawMessage
	at          int
	includeDocs bool
}

func (s *keyedDocs) advance() (bool, error) {
	s.at++
	return s.at < len(s.keys), nil
}

func (s *keyedDocs) row(row *driver.Row) error {
	key := s.keys[s.at]
	var id string
	var r *record
	if json.Unmarshal(key, &id) == nil && id != "" {
		var err error
		if r, err = s.contents.record(id); err != nil {
			return err
		}
	}
	if r == nil {
		row.Key = slices.Clone(key)
		row.Error = &Error{http.StatusNotFound, "not_found"}
		return nil
	}
	describeDocument(row, id, r, s.includeDocs)
	return nil
}
