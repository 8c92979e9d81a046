package routing

import (
	"context"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// heldByOthers returns the slots that another cluster has: of those without a claim (fresh), and of those that another
// cluster claims (foreign). If it returns none, the claims of the latter may be written over.
func (c *claims) heldByOthers(
	ctx context.Context, fresh, foreign []addressSlot, found map[string]document.Document,
) ([]addressSlot, error) {
	taken, err := c.unclaimed(ctx, fresh)
	if err != nil {
		return nil, err
	}
	stale := map[string][]addressSlot{} // by the cluster that claims them
	for _, s := range foreign {
		claim := found[s.String()]
		stale[claim.String(fieldCluster)] = append(stale[claim.String(fieldCluster)], s)
	}
	for holder, slots := range stale {
		held, err := c.fence(ctx, holder, slots, found)
		if err != nil {
			return nil, err
		}
		taken = append(taken, held...)
	}
	return taken, nil
}

// unclaimed returns the slots that another cluster's document has without a claim. Only this package makes claims, so
// such a document was written by hand, or its claims are lost.
func (c *claims) unclaimed(ctx context.Context, slots []addressSlot) (taken []addressSlot, err error) {
	if len(slots) == 0 {
		return nil, nil
	}
	keys := make([]any, len(slots))
	for i, s := range slots {
		keys[i] = []any{s.direction, s.addr.String()}
	}
	others := map[[2]string]bool{}
	q := store.Query{Keys: keys}
	err = c.store.View(ctx, Database, design, "by_address", q, func(row store.Row) error {
		var key [2]string
		if row.ID() == c.cluster {
			return nil
		}
		err := row.Key(&key)
		others[key] = true
		return err
	})
	for _, s := range slots {
		if others[[2]string{s.direction, s.addr.String()}] {
			taken = append(taken, s)
		}
	}
	return taken, err
}

// fence makes sure that a cluster can't get slots by the claims found, whatever its writers are about to do: step 6 of
// claims.go without its end. It returns the slots that the cluster has, or may yet get.
func (c *claims) fence(
	ctx context.Context, holder string, slots []addressSlot, found map[string]document.Document,
) (taken []addressSlot, err error) {
	for range writeAttempts {
		doc, err := c.read(ctx, holder)
		if err != nil {
			return nil, err
		}
		held := slotsOf(doc)
		taken = slices.DeleteFunc(slices.Clone(slots), func(s addressSlot) bool {
			return !held[s] && c.stale(found[s.String()])
		})
		if len(taken) > 0 {
			return taken, nil
		}
		_, err = c.store.Put(ctx, Database, c.forRewrite(holder, doc))
		if !fault.Is(err, fault.Conflict) {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "")
}

// stale reports whether a claim is older than the grace time. A claim from as far in the future was made by a wrong
// clock.
func (c *claims) stale(claim document.Document) bool {
	made, _ := claim.Int(kazoo.FieldModified)
	return c.options.Now().Sub(kazoo.FromGregorian(made)).Abs() >= c.options.Grace
}

// forRewrite returns the document to write again as it is. A document that does not exist becomes a deleted one, which
// is the same to everybody but a writer that is about to create it.
func (c *claims) forRewrite(id string, doc document.Document) document.Document {
	if doc != nil {
		return doc
	}
	now := document.Number(kazoo.Gregorian(c.options.Now()))
	return document.Document{"_id": id, kazoo.FieldType: documentType, kazoo.FieldVersion: "1", kazoo.FieldDeleted: true,
		kazoo.FieldCreated: now, kazoo.FieldModified: now}
}

// refuse returns the error of a document with slots that another cluster has.
func refuse(taken []addressSlot, wanted map[addressSlot]field) error {
	fields := fault.Fields{}
	for _, s := range taken {
		wanted[s].unique(fields, "The address belongs to another cluster")
	}
	return fields.Err()
}
