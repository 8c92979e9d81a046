package dedicatedip

import (
	"context"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// undo takes back what commit wrote of a request that failed. Others may have seen the addresses in between, so
// the account's copies are looked at, too.
func (p *Pool) undo(ctx context.Context, accountID string, before, after []IP, errs []error) {
	ctx, cancel := committed(ctx)
	defer cancel()
	var old []document.Document
	err := patiently(ctx, func() (err error) {
		old, err = p.previous(ctx, before, after, errs)
		return err
	})
	if err == nil && len(old) == 0 {
		return
	}
	if err == nil {
		err = p.putBack(ctx, old)
	}
	if err != nil {
		p.report(err, accountID, idsOf(before),
			"a request was refused, but may have changed these addresses: compare them with what the account expects")
	}
	p.mirror(ctx, accountID, idsOf(before))
}

// previous answers the documents that this request wrote as they were before, over the revision they have now.
// Where the answer to a write did not arrive, the store is asked what it has.
func (p *Pool) previous(ctx context.Context, before, after []IP, errs []error) ([]document.Document, error) {
	var unsure []string
	for i, err := range errs {
		if err != nil && !fault.Is(err, fault.Conflict) {
			unsure = append(unsure, before[i].ID())
		}
	}
	stored, err := p.store.GetMany(ctx, Database, unsure)
	if err != nil {
		return nil, err
	}
	var old []document.Document
	for i, ip := range before {
		rev := after[i].Revision()
		if errs[i] != nil {
			now := stored[ip.ID()]
			if !sameWrite(ip, after[i], now) {
				continue
			}
			rev = now.Rev()
		}
		doc := maps.Clone(ip.doc)
		doc["_rev"] = rev
		old = append(old, doc)
	}
	return old, nil
}

// putBack writes documents as they were before. A conflict says that another writer has gone on from our state
// meanwhile, and then that is the state that counts.
func (p *Pool) putBack(ctx context.Context, old []document.Document) error {
	return patiently(ctx, func() (err error) {
		var rest []document.Document
		for i, w := range p.put(ctx, Database, old) {
			switch {
			case w.Err == nil:
				old[i]["_rev"] = w.Rev
				p.wrote(old[i])
			case !fault.Is(w.Err, fault.Conflict):
				rest, err = append(rest, old[i]), w.Err
			}
		}
		old = rest
		return err
	})
}

// sameWrite reports whether the stored document is the one this request wrote over before.
func sameWrite(before, after IP, stored document.Document) bool {
	return generation(stored.Rev()) == generation(before.Revision())+1 && sameContent(after.doc, stored) &&
		after.doc.String(fieldWriter) == stored.String(fieldWriter)
}

// sameContent compares documents without what the store adds to them, and without who wrote them.
func sameContent(a, b document.Document) bool { return reflect.DeepEqual(content(a), content(b)) }

func content(doc document.Document) document.Document {
	doc = maps.Clone(doc)
	delete(doc, "_rev")
	delete(doc, "_conflicts")
	delete(doc, fieldWriter)
	return doc
}

// generation is the number a revision begins with: how many writes made the document.
func generation(rev string) int {
	number, _, _ := strings.Cut(rev, "-")
	n, _ := strconv.Atoi(number)
	return n
}
