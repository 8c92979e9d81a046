package store

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// On a CouchDB cluster several nodes keep each document, and each of them takes the first writer over a revision that
// it hears of. So two writers over one revision can both be taken, by different nodes, and which of them wins is only
// known when the nodes have told each other. Here a write waits for all of them (its "w"). If all have taken it (201),
// there is no other: each would have been refused by every node. If some have not (202), because they had taken
// another or are away, all are asked what they have (its "r"), and by then none can take another writer any more: the
// one revision that wins among those is the winner, and its writer alone is told so.

// FieldWriter is a private field that makes equal writes of two writers different revisions. Without it a CouchDB
// cluster would take them for one, and tell both writers that it was theirs.
const FieldWriter = "pvt_writer"

// write does a write. It reports whether the nodes of a cluster may have taken another writer, and whether the write was
// sent again, so that what refused it may be itself.
func (s *Store) write(
	ctx context.Context, operation, db string, do func(ctx context.Context, all kivik.Option) error,
) (contested, repeated bool, err error) {
	nodes, err := s.nodes(ctx, db)
	if err != nil {
		return false, false, err
	}
	all := kivik.Params(nil)
	if nodes > 1 {
		all = kivik.Param("w", nodes)
	}
	var sent sending
	err = s.call(operation, db, func() error { return do(context.WithValue(ctx, sendingKey{}, &sent), all) })
	return nodes > 1 && (sent.partial || sent.repeated), sent.repeated, err
}

// nodes answers how many nodes keep each document of db, without asking where it can only be one.
func (s *Store) nodes(ctx context.Context, db string) (int, error) {
	if s.embedded {
		return 1, nil
	}
	return s.copies(ctx, db)
}

// latest is Get for a writer: what most nodes say may have lost already.
func (s *Store) latest(ctx context.Context, db, id string) (document.Document, error) {
	nodes, err := s.nodes(ctx, db)
	if err != nil {
		return nil, err
	}
	if nodes == 1 {
		return s.Get(ctx, db, id)
	}
	doc, _, err := s.Winner(ctx, db, id, "")
	return doc, err
}

func noteAccepted(r *http.Request, answer *http.Response) {
	if s, ok := r.Context().Value(sendingKey{}).(*sending); ok && answer.StatusCode == http.StatusAccepted {
		s.partial = true
	}
}

// prevailed answers a fault.Conflict if another writer's revision won over rev, which is removed then.
func (s *Store) prevailed(ctx context.Context, db, id, rev string) error {
	_, won, err := s.Winner(ctx, db, id, rev)
	switch {
	case fault.Is(err, fault.BadIdentifier): // removed, by us or by somebody who saw our write
		return nil
	case err != nil || won:
		return err
	}
	_ = s.Delete(ctx, db, id, rev) // what is left of it wins over nothing
	return fault.New(fault.Conflict, "")
}

// Winner reads a document back after rev was written, and reports whether rev is on the branch that won: the
// winning revision itself, or one that it was made from. On a CouchDB cluster a write that was accepted can still
// lose to another that was accepted elsewhere, so every node that keeps the document is asked. After a write of this
// package they all have an answer: of writers over one revision one has won.
func (s *Store) Winner(ctx context.Context, db, id, rev string) (doc document.Document, won bool, err error) {
	nodes, err := s.copies(ctx, db)
	if err != nil {
		return nil, false, err
	}
	options := kivik.Params(map[string]any{"conflicts": true, "revs": true, "r": nodes})
	err = s.call("get", db, func() (err error) {
		doc, err = scan(s.client.DB(db).Get(ctx, id, options))
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return doc, slices.Contains(revisions(doc), rev), nil
}
