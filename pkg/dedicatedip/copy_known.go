package dedicatedip

import (
	"context"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/store"
)

// copyName names an account's copy of an address.
type copyName struct{ accountID, id string }

// outcome is what has become of a document of the pool: as it was written, or with "_deleted", removed.
type outcome = document.Document

// updateCopies lets an account's copies follow what this process has just written to the pool.
//
// Without a memory that is what mirror does. With one, what to write is known, and mostly over what, so nothing is
// read: a copy that turns out to be another one is left to mirror. So are addresses that somebody else has written
// meanwhile, which the index shows for this process, and a look at the store a little later for the others.
func (p *Pool) updateCopies(ctx context.Context, accountID string, outcomes []outcome) {
	if accountID == "" || len(outcomes) == 0 {
		return
	}
	m := p.memory.Load()
	if m == nil {
		p.mirror(ctx, accountID, idsOfDocuments(outcomes))
		return
	}
	left := p.writeKnown(ctx, m, accountID, outcomes)
	for _, doc := range outcomes {
		if m.index.revision(doc.ID()) != liveRevision(doc) && !slices.Contains(left, doc.ID()) {
			left = append(left, doc.ID())
		}
	}
	m.tend(accountID, outcomes, left)
	if len(left) > 0 {
		p.mirror(ctx, accountID, left)
	}
	if !m.checks.add(accountID, outcomes) {
		p.mirror(ctx, accountID, idsOfDocuments(outcomes))
	}
}

// liveRevision is the revision of a document that is there, empty for one that is removed.
func liveRevision(doc document.Document) string {
	if doc.Bool("_deleted") {
		return ""
	}
	return doc.Rev()
}

// writeKnown writes copies without reading them, and answers the ids of those that it could not write so.
func (p *Pool) writeKnown(ctx context.Context, m *memory, accountID string, outcomes []outcome) (left []string) {
	ctx, cancel := committed(ctx)
	defer cancel()
	db, err := account.Database(accountID)
	var writes []document.Document
	for _, doc := range outcomes {
		rev, known := m.copies.Get(copyName{accountID, doc.ID()})
		switch held := !doc.Bool("_deleted") && (IP{doc}).heldBy(accountID); {
		case held:
			writes = append(writes, over(content(doc), rev))
		case known:
			writes = append(writes, over(document.Document{"_id": doc.ID(), "_deleted": true}, rev))
		default:
			left = append(left, doc.ID())
		}
	}
	if err != nil || len(writes) == 0 {
		return left
	}
	for i, w := range p.putCopies(ctx, db, accountID, writes) {
		if w.Err != nil {
			left = append(left, writes[i].ID())
		}
	}
	return left
}

// putCopies writes an account's copies, and tells whoever wants to know. It answers for each.
func (p *Pool) putCopies(ctx context.Context, db, accountID string, writes []document.Document) []store.Written {
	written := p.put(ctx, db, writes)
	if p.billed != nil && len(writes) > 0 { // whatever the answer is: a write may have been made
		p.billed(accountID)
	}
	m := p.memory.Load()
	for i, doc := range writes {
		if m != nil {
			m.noteCopy(copyName{accountID, doc.ID()}, doc, written[i])
		}
		if written[i].Err == nil && p.mended != nil {
			p.mended(accountID, doc)
		}
	}
	return written
}

// noteCopy remembers what a copy is, or that nobody knows.
func (m *memory) noteCopy(name copyName, doc document.Document, w store.Written) {
	if w.Err == nil && !doc.Bool("_deleted") {
		m.copies.Add(name, w.Rev)
	} else {
		m.copies.Remove(name)
	}
}

func over(doc document.Document, rev string) document.Document {
	if rev != "" {
		doc["_rev"] = rev
	}
	return doc
}

func idsOfDocuments(docs []document.Document) []string {
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID()
	}
	return ids
}

// tend remembers of which revisions the copies are right, so that the reconciler need not look.
func (m *memory) tend(accountID string, outcomes []outcome, left []string) {
	for _, doc := range outcomes {
		if !slices.Contains(left, doc.ID()) {
			m.tended.Add(copyName{accountID, doc.ID()}, doc.Rev())
		}
	}
}

// tended reports whether this process has updated an account's copy for a revision.
func (p *Pool) tended(accountID, id, rev string) bool {
	m := p.memory.Load()
	if m == nil {
		return false
	}
	last, ok := m.tended.Get(copyName{accountID, id})
	return ok && last == rev
}

// holderAt answers who holds an address, empty for nobody; ok is false where memory has another revision.
func (p *Pool) holderAt(id, rev string) (holder string, ok bool) {
	m := p.memory.Load()
	if m == nil {
		return "", false
	}
	return m.index.holderAt(id, rev)
}
