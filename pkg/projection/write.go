package projection

import (
	"context"
	"errors"
	"maps"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// writeCopies makes an account's copies equal to the pool. It returns those items that are not, with the reason: an
// error, or nil where another process was at the same copies.
func (p *Projector) writeCopies(
	ctx context.Context, accountID string, items map[string]item,
) (left map[string]item, err error) {
	db, err := account.Database(accountID)
	if err != nil { // there can be no such database
		p.reportAbandoned(accountID, slices.Sorted(maps.Keys(items)))
		return nil, nil
	}
	left = p.writeKnown(ctx, db, accountID, items)
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(left)), chunk) {
		if failure := p.writeDifferences(ctx, db, accountID, ids, left); failure != nil {
			err = failure
		}
	}
	return left, err
}

// writeKnown writes copies without reading them: what to write is known, and mostly over what. It returns the items
// that have to be compared.
func (p *Projector) writeKnown(ctx context.Context, db, accountID string, items map[string]item) (left map[string]item) {
	left = map[string]item{}
	var writes []document.Document
	for id, i := range items {
		last, known := p.copies.Get(copyName{accountID, id})
		switch {
		case i.doc == nil || !p.options.Current(i.doc):
			left[id] = i
		case history.StateOf(i.doc).Holder == accountID:
			copied := Content(i.doc)
			if last.copy != "" {
				copied["_rev"] = last.copy
			}
			writes = append(writes, copied)
		case known && last.copy != "" && i.doc.String(store.FieldWriter) == "": // on a cluster there may be a conflict
			writes = append(writes, document.Document{"_id": id, "_rev": last.copy, "_deleted": true})
		default:
			left[id] = i
		}
	}
	poolRev := func(id string) string { return items[id].doc.Rev() }
	for n, err := range p.put(ctx, db, accountID, writes, poolRev) {
		id := writes[n].ID()
		if i := items[id]; err != nil || !p.options.Current(i.doc) {
			i.doc = nil
			left[id] = i
		}
	}
	return left
}

// writeDifferences compares an account's copies of addresses with the pool and writes those that differ. It removes from
// left what is equal then. Losing revisions of the copies are removed first: one of them would be the copy again once the
// winner is removed. A copy that another process may be writing, since the address has changed after the observed
// revision, is compared later. The pool is read once more after the writes: a writer of another process may have been
// faster there and slower here.
func (p *Projector) writeDifferences(
	ctx context.Context, db, accountID string, ids []string, left map[string]item,
) error {
	differences, pool, copies, err := compare(ctx, p.store, accountID, ids)
	if errors.Is(err, errNoDatabase) {
		p.reportAbandoned(accountID, ids)
		for _, id := range ids {
			delete(left, id)
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, copied := range copies {
		if copied["_conflicts"] == nil {
			continue
		}
		if err := p.store.Resolve(ctx, db, copied, func(document.Document) {}); err != nil {
			return err
		}
	}
	differences = slices.DeleteFunc(differences, func(d difference) bool {
		id := d.write.ID()
		return p.leaveToWriter(copyName{accountID, id}, left[id].observed, pool[id].Rev())
	})
	writes := make([]document.Document, len(differences))
	for i, d := range differences {
		writes[i] = d.write
	}
	failed := map[string]bool{}
	var failure error
	poolRev := func(id string) string { return pool[id].Rev() }
	for n, err := range p.put(ctx, db, accountID, writes, poolRev) {
		id := writes[n].ID()
		switch {
		case err == nil:
			i := left[id]
			if i.request == nil {
				p.reportRepair(accountID, differences[n])
			}
			i.doc, i.observed = nil, "" // if the pool has changed, this copy is wrong, and not old
			left[id] = i
			continue
		case !fault.Is(err, fault.Conflict):
			failure = err
		}
		failed[id] = true
	}
	now := pool
	if len(writes) > 0 {
		if now, err = p.store.GetMany(ctx, kazoo.DedicatedIPs, ids); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if i := left[id]; failed[id] || now[id].Rev() != pool[id].Rev() {
			i.doc = nil
			left[id] = i
		} else {
			delete(left, id)
		}
	}
	return failure
}

// put writes copies and remembers their revisions. It returns what became of each write.
func (p *Projector) put(
	ctx context.Context, db, accountID string, writes []document.Document, poolRev func(id string) string,
) []error {
	if len(writes) == 0 {
		return nil
	}
	errs := make([]error, len(writes))
	for i, w := range store.PutEach(ctx, p.store, db, writes) {
		name := copyName{accountID, writes[i].ID()}
		switch errs[i] = w.Err; {
		case w.Err != nil:
			p.copies.Remove(name)
		case writes[i].Bool("_deleted"):
			p.copies.Add(name, written{pool: poolRev(name.id)})
		default:
			p.copies.Add(name, written{poolRev(name.id), w.Rev})
		}
	}
	p.options.Written(ctx, accountID)
	return errs
}

// reportRepair reports a copy that did not equal the pool and was written for no request.
func (p *Projector) reportRepair(accountID string, d difference) {
	p.options.Log.Warn().Str("ip", d.write.ID()).Str("account", accountID).Str("copy", d.kind()).
		Msg("repaired an account's copy of an address")
	p.options.Repaired(d.kind())
}

// reportAbandoned reports addresses whose holder has no database.
func (p *Projector) reportAbandoned(accountID string, ids []string) {
	p.options.Log.Error().Str("account", accountID).Int("count", len(ids)).Strs("ips", first(ids)).
		Msg("an account that no longer exists holds these addresses: release them")
	for range ids {
		p.options.Abandoned()
	}
}
