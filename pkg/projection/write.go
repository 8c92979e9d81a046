package projection

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// write makes an account's copies equal to the pool. It returns those items that are not, with the reason: an error, or
// nil where another process was at the same copies.
func (p *Projector) write(ctx context.Context, accountID string, items map[string]item) (left map[string]item, err error) {
	db, err := account.Database(accountID)
	if err != nil { // there can be no such database
		p.options.Abandoned(accountID, slices.Sorted(maps.Keys(items)))
		return nil, nil
	}
	left = p.writeKnown(ctx, db, accountID, items)
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(left)), chunk) {
		if err := p.compare(ctx, db, accountID, ids, left); err != nil {
			return left, err
		}
	}
	return left, nil
}

// chunk bounds how many documents are read and written in one call.
const chunk = 500

// writeKnown writes copies without reading them: what to write is known, and mostly over what. It returns the items
// that have to be compared.
func (p *Projector) writeKnown(ctx context.Context, db, accountID string, items map[string]item) (left map[string]item) {
	left = map[string]item{}
	var writes []document.Document
	for id, i := range items {
		last, known := p.copies.Get(copyName{accountID, id})
		switch {
		case i.doc == nil || !p.isCurrent(i.doc):
			left[id] = i
		case holds(accountID, i.doc):
			writes = append(writes, over(Content(i.doc), last.copy))
		case known && last.copy != "":
			writes = append(writes, over(document.Document{"_id": id, "_deleted": true}, last.copy))
		case known && last.pool != "":
			p.copies.Add(copyName{accountID, id}, written{pool: i.doc.Rev()}) // removed already
		default:
			left[id] = i
		}
	}
	for _, w := range p.put(ctx, db, accountID, writes, func(id string) string { return items[id].doc.Rev() }) {
		if w.err != nil || !p.isCurrent(items[w.id].doc) || !p.noteUnproven(copyName{accountID, w.id}) {
			left[w.id] = item{repair: items[w.id].repair}
		}
	}
	return left
}

// isCurrent reports whether a document is what the pool has, as far as this process knows.
func (p *Projector) isCurrent(doc document.Document) bool {
	rev, known := p.options.Current(doc.ID())
	if doc.Bool("_deleted") {
		return known && rev == ""
	}
	return known && rev == doc.Rev()
}

// holds reports whether an account holds the address of a document of the pool.
func holds(accountID string, doc document.Document) bool {
	return doc != nil && doc.String(kazoo.FieldType) == "dedicated_ip" && !doc.Bool("_deleted") &&
		!doc.Bool(kazoo.FieldDeleted) && doc.String("pvt_status") != "available" &&
		doc.String(kazoo.FieldAssignedTo) == accountID
}

func over(doc document.Document, rev string) document.Document {
	if rev != "" {
		doc["_rev"] = rev
	}
	return doc
}

// compare reads the pool and an account's copies of addresses, and writes those that differ. It removes from left what
// is equal then. The pool is read once more after the writes: a writer of another process may have been faster there
// and slower here.
func (p *Projector) compare(
	ctx context.Context, db, accountID string, ids []string, left map[string]item,
) error {
	pool, err := p.store.GetMany(ctx, kazoo.DedicatedIPs, ids)
	if err != nil {
		return err
	}
	writes, err := Differences(ctx, p.store, db, accountID, ids, pool)
	if fault.Is(err, fault.DatastoreMissing) {
		p.options.Abandoned(accountID, ids)
		for _, id := range ids {
			delete(left, id)
		}
		return nil
	}
	if err != nil {
		return err
	}
	failed := map[string]bool{}
	var failure error
	for i, w := range p.put(ctx, db, accountID, writes, func(id string) string { return pool[id].Rev() }) {
		switch {
		case w.err == nil:
			if left[w.id].repair {
				p.options.Repaired(accountID, writes[i])
			}
			continue
		case !fault.Is(w.err, fault.Conflict):
			failure = w.err
		}
		failed[w.id] = true
	}
	now := pool
	if len(writes) > 0 {
		if now, err = p.store.GetMany(ctx, kazoo.DedicatedIPs, ids); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if failed[id] || now[id].Rev() != pool[id].Rev() {
			left[id] = item{repair: left[id].repair}
		} else {
			delete(left, id)
		}
	}
	return failure
}

// result is what became of one write.
type result struct {
	id  string
	err error
}

// put writes copies and remembers their revisions.
func (p *Projector) put(
	ctx context.Context, db, accountID string, writes []document.Document, poolRev func(id string) string,
) []result {
	if len(writes) == 0 {
		return nil
	}
	results := make([]result, len(writes))
	for i, w := range putAll(ctx, p.store, db, writes) {
		name := copyName{accountID, writes[i].ID()}
		results[i] = result{name.id, w.Err}
		if w.Err != nil {
			p.copies.Remove(name)
			continue
		}
		rev := w.Rev
		if writes[i].Bool("_deleted") {
			rev = ""
		}
		p.copies.Add(name, written{pool: poolRev(name.id), copy: rev})
	}
	p.options.Written(accountID)
	return results
}

// putAll writes documents and returns the outcome of each. One alone costs a CouchDB less than in a bulk.
func putAll(ctx context.Context, s Store, db string, docs []document.Document) []store.Written {
	if len(docs) == 1 {
		rev, err := s.Put(ctx, db, docs[0])
		return []store.Written{{Rev: rev, Err: err}}
	}
	outcomes, err := s.PutMany(ctx, db, docs)
	if err != nil {
		outcomes = make([]store.Written, len(docs))
		for i := range outcomes {
			outcomes[i].Err = err
		}
	}
	return outcomes
}

// Reader reads several documents in one call.
type Reader interface {
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
}

// Differences returns what has to be written to an account's database for its copies of addresses to equal the pool:
// new documents, documents over their revision, and tombstones. The error is of kind fault.DatastoreMissing if the
// account holds an address and has no database.
func Differences(
	ctx context.Context, s Reader, db, accountID string, ids []string, pool map[string]document.Document,
) ([]document.Document, error) {
	copies, err := s.GetMany(ctx, db, ids)
	if fault.Is(err, fault.DatastoreMissing) && !slices.ContainsFunc(ids, func(id string) bool { return holds(accountID, pool[id]) }) {
		return nil, nil // the copies are gone with the account
	}
	if err != nil {
		return nil, err
	}
	var writes []document.Document
	for _, id := range ids {
		copied := copies[id]
		switch held := holds(accountID, pool[id]); {
		case copied == nil && held:
			writes = append(writes, Content(pool[id]))
		case copied != nil && !held && copied.String(kazoo.FieldType) == "dedicated_ip":
			writes = append(writes, document.Document{"_id": id, "_rev": copied.Rev(), "_deleted": true})
		case copied != nil && held && !SameContent(copied, pool[id]):
			writes = append(writes, over(Content(pool[id]), copied.Rev()))
		}
	}
	return writes, nil
}

// SameContent reports whether two documents are equal but for what a store adds to them.
func SameContent(a, b document.Document) bool { return reflect.DeepEqual(Content(a), Content(b)) }

// Content returns a document without what a store adds to it.
func Content(doc document.Document) document.Document {
	doc = maps.Clone(doc)
	for _, field := range []string{"_rev", "_conflicts", store.FieldWriter} {
		delete(doc, field)
	}
	return doc
}
