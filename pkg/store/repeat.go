package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// landed reads back a write that was sent again and then refused, see package couchhttp. It returns the revision that the
// first request made. If there is none, the refusal stands: another writer was first.
func (s *Store) landed(ctx context.Context, db string, doc document.Document, refusal error) (rev string, err error) {
	leaf, above, err := s.branch(ctx, db, doc.ID(), doc.Rev())
	if fault.Is(err, fault.BadIdentifier) {
		return "", refusal
	}
	for i := 0; i < len(above) && err == nil; i++ {
		made := leaf
		if above[i] != leaf.Rev() {
			made, err = s.GetRevision(ctx, db, doc.ID(), above[i])
		}
		if err == nil && sameContent(made, doc) {
			return above[i], nil
		}
	}
	if err != nil { // a revision that was compacted meanwhile, too
		err = fmt.Errorf("the connection broke, and reading back whether %s %s was written failed: %w", db, doc.ID(), err)
		return "", fault.Wrap(fault.DatastoreUnreachable, err)
	}
	return "", refusal
}

// newestRead bounds how far landed goes back in a document that may have been made anew: it was, a moment ago.
const newestRead = 3

// branch reads the winning revision of a document, be it a tombstone, and names those that may have been written over
// rev: exactly one, or, where rev is empty and the document may be one that was deleted before, the newest ones.
func (s *Store) branch(ctx context.Context, db, id, rev string) (leaf document.Document, above []string, err error) {
	states, err := s.states(ctx, db, []string{id})
	if err != nil {
		return nil, nil, err
	}
	winner, ok := states[id]
	if !ok {
		return nil, nil, fault.New(fault.BadIdentifier, "")
	}
	err = s.call("get", db, func() (err error) {
		leaf, err = scan(s.client.DB(db).Get(ctx, id, kivik.Rev(winner.Rev), kivik.Param("revs", true)))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	all := revisions(leaf)
	if rev == "" {
		return leaf, all[:min(newestRead, len(all))], nil
	}
	if i := slices.Index(all, rev); i > 0 {
		above = all[i-1 : i]
	}
	return leaf, above, nil
}

// revisions names the revisions of a document that was read with its branch, the newest first, and takes the branch out.
func revisions(doc document.Document) (revs []string) {
	branch, _ := doc["_revisions"].(map[string]any)
	delete(doc, "_revisions")
	newest, _ := document.Document(branch).Int("start")
	for i, hash := range document.Document(branch).Strings("ids") {
		revs = append(revs, fmt.Sprintf("%d-%s", newest-int64(i), hash))
	}
	return revs
}

// sameContent reports whether two revisions say the same. A store may write numbers in another way.
func sameContent(a, b document.Document) bool {
	x, err := content(a)
	if err != nil {
		return false
	}
	y, err := content(b)
	return err == nil && reflect.DeepEqual(x, y)
}

func content(doc document.Document) (fields map[string]any, err error) {
	text, err := document.Encode(doc)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	for key := range fields {
		if strings.HasPrefix(key, "_") && key != "_deleted" {
			delete(fields, key)
		}
	}
	return fields, err
}
