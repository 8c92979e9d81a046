package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Get reads a document. Where several writers left a conflict, it returns the winner, with the losing
// revisions under "_conflicts". A document or database that does not exist is fault.BadIdentifier or
// fault.DatastoreMissing.
func (s *Store) Get(ctx context.Context, db, id string) (doc document.Document, err error) {
	err = s.call("get", db, func() (err error) {
		doc, err = scan(s.client.DB(db).Get(ctx, id, kivik.Param("conflicts", true)))
		return err
	})
	return doc, err
}

// GetRevision reads one revision of a document, a losing one of a conflict included.
func (s *Store) GetRevision(ctx context.Context, db, id, rev string) (doc document.Document, err error) {
	err = s.call("get", db, func() (err error) {
		doc, err = scan(s.client.DB(db).Get(ctx, id, kivik.Rev(rev)))
		return err
	})
	return doc, err
}

func scan(row *kivik.Document) (document.Document, error) {
	var raw json.RawMessage
	if err := row.ScanDoc(&raw); err != nil {
		return nil, err
	}
	return decode(raw)
}

// decode decodes a document as the store has it. Its error names the document.
func decode(text []byte) (document.Document, error) {
	doc, err := document.DecodeStored(text)
	if err != nil {
		var named struct {
			ID string `json:"_id"`
		}
		_ = json.Unmarshal(text, &named)
		return nil, fmt.Errorf("document %s can't be decoded: %w", named.ID, err)
	}
	return doc, nil
}

// GetMany reads several documents in one go, keyed by id. Those that do not exist are left out.
func (s *Store) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	found := make(map[string]document.Document, len(ids))
	switch len(ids) {
	case 0:
		return found, nil
	case 1:
		doc, err := s.Get(ctx, db, ids[0])
		switch {
		case fault.Is(err, fault.BadIdentifier):
			return found, nil
		case err != nil:
			return nil, err
		}
		found[ids[0]] = doc
		return found, nil
	}
	err := s.call("get_many", db, func() error {
		rows := s.client.DB(db).AllDocs(ctx, kivik.IncludeDocs(),
			kivik.Params(map[string]any{"keys": ids, "conflicts": true}))
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			if err := collect(rows, found); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return found, err
}

// collect adds the document of an _all_docs row. Rows of missing and of deleted documents carry none.
func collect(rows *kivik.ResultSet, found map[string]document.Document) error {
	var raw json.RawMessage
	if err := rows.ScanDoc(&raw); err != nil || len(raw) == 0 || string(raw) == "null" {
		return nil //nolint:nilerr // the error of a row is "not_found"
	}
	doc, err := decode(raw)
	if err != nil {
		return err
	}
	found[doc.ID()] = doc
	return nil
}

// Put writes a document under its "_id", over the revision its "_rev" names or, without one, as a new document. One
// with "_deleted" true is removed. fault.Conflict says that another writer was first. On a CouchDB cluster the document
// is signed: Put sets its FieldWriter, and fault.DatastorePartial says that the outcome is open.
func (s *Store) Put(ctx context.Context, db string, doc document.Document) (rev string, err error) {
	written, err := s.write(ctx, "put", db, []document.Document{doc},
		func(ctx context.Context, all kivik.Option) ([]Written, error) {
			rev, err := s.client.DB(db).Put(ctx, doc.ID(), doc, all)
			return []Written{{Rev: rev, Err: classify("put", db, err)}}, err
		})
	if err != nil {
		return "", err
	}
	return written[0].Rev, written[0].Err
}

// Delete removes a revision of a document; CouchDB keeps a tombstone. fault.Conflict says that another writer went on
// from that revision.
func (s *Store) Delete(ctx context.Context, db, id, rev string) error {
	_, err := s.Put(ctx, db, document.Document{"_id": id, "_rev": rev, "_deleted": true})
	return err
}

// Written is what became of one document of PutMany.
type Written struct {
	Rev string // the new revision, where Err is nil
	Err error  // fault.Conflict, or another fault
}

// PutMany writes several documents in one request, each on its own as Put does: some may fail while others succeed. It
// returns the outcomes in the order of docs; err says that none was tried, or that their fate is unknown.
func (s *Store) PutMany(ctx context.Context, db string, docs []document.Document) (written []Written, err error) {
	if len(docs) == 0 {
		return nil, nil
	}
	return s.write(ctx, "put_many", db, docs, s.bulk(db, docs))
}

// Writer writes documents, as a Store does.
type Writer interface {
	Put(ctx context.Context, db string, doc document.Document) (rev string, err error)
	PutMany(ctx context.Context, db string, docs []document.Document) ([]Written, error)
}

// PutEach writes documents and returns the outcome of each. One alone costs a CouchDB less than in a bulk.
func PutEach(ctx context.Context, w Writer, db string, docs []document.Document) []Written {
	if len(docs) == 1 {
		rev, err := w.Put(ctx, db, docs[0])
		return []Written{{Rev: rev, Err: err}}
	}
	written, err := w.PutMany(ctx, db, docs)
	if err != nil {
		written = make([]Written, len(docs))
		for i := range written {
			written[i].Err = err
		}
	}
	return written
}

// bulk is the request that PutMany sends.
func (s *Store) bulk(db string, docs []document.Document) send {
	return func(ctx context.Context, all kivik.Option) (written []Written, err error) {
		list := make([]any, len(docs))
		for i, doc := range docs {
			list[i] = doc
		}
		results, err := s.client.DB(db).BulkDocs(ctx, list, all)
		if err != nil {
			return nil, err
		}
		if len(results) != len(docs) {
			return nil, fmt.Errorf("%d results for %d documents", len(results), len(docs))
		}
		for _, r := range results {
			written = append(written, Written{Rev: r.Rev, Err: classify("put", db, r.Error)})
		}
		return written, nil
	}
}

// ErrUnchanged is what a change function of Update returns if there is nothing to write.
var ErrUnchanged = errors.New("unchanged")

// updateAttempts bounds how often Update starts over. A loser of a race lost to a writer that got through, so
// this is also how many others may overtake it.
const updateAttempts = 10

// The pauses of Update are in the order of a write: a writer that pauses for long is overtaken by more.
const (
	firstUpdatePause = 2 * time.Millisecond
	lastUpdatePause  = 100 * time.Millisecond
)

// Match reports whether a caller is willing to change a revision. Nil is willing to change any.
type Match func(revision string) bool

// Check returns fault.PreconditionFailed for a revision that m does not match.
func (m Match) Check(revision string) error {
	if m != nil && !m(revision) {
		return fault.New(fault.PreconditionFailed, "")
	}
	return nil
}

// Update reads a document, lets change alter it and writes it back, starting over with backoff when another writer was
// in between: change may run several times and must have no side effects. A document that does not exist is passed
// to change empty but for its "_id". An error of change ends the update and is passed on; ErrUnchanged ends it
// without one. Update returns the document as stored, with its new "_rev".
func (s *Store) Update(
	ctx context.Context, db, id string, change func(document.Document) error,
) (document.Document, error) {
	pauses := backoff.New(firstUpdatePause, lastUpdatePause)
	for attempt := 1; ; attempt++ {
		doc, err := s.base(ctx, db, id, attempt)
		if fault.Is(err, fault.BadIdentifier) {
			doc, err = document.Document{"_id": id}, nil
		}
		if err != nil {
			return nil, err
		}
		delete(doc, "_conflicts")
		if err := change(doc); errors.Is(err, ErrUnchanged) {
			return doc, nil
		} else if err != nil {
			return nil, err
		}
		rev, err := s.Put(ctx, db, doc)
		if err == nil {
			doc["_rev"] = rev
			return doc, nil
		}
		if !fault.Is(err, fault.Conflict) || attempt == updateAttempts || pauses.Wait(ctx) != nil {
			return nil, err
		}
	}
}

// base reads a document for an attempt of Update.
func (s *Store) base(ctx context.Context, db, id string, attempt int) (document.Document, error) {
	nodes, err := s.Nodes(ctx, db)
	if err != nil {
		return nil, err
	}
	if attempt == 1 || nodes == 1 {
		return s.Get(ctx, db, id)
	}
	return s.latest(ctx, db, id, nodes)
}
