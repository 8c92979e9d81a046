package routing

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// An address serves one cluster in a direction. The clusters' documents say which, but no store makes two
// documents agree. So there is a third document for each slot, its claim, whose id is the slot and which names the
// cluster. The store decides between writers of one document, by its revision, and all rests on that:
//
//	Where a cluster's document has an address, the claim names that cluster.
//
// Writers preserve it by the order of their steps, whatever others do between them and wherever they stop:
//
//  1. Read the document, then the claims.
//  2. Write each claim of an address that the document just read does not have: create it, or write it again even if
//     it names the cluster already. That changes its revision, so that no other writer can remove it by an older one.
//  3. Write the document over the revision read in step 1. If it has another revision by now, start over at step 1.
//  4. Remove the claims of the addresses that are gone, by the revisions read in step 1. A claim that another writer
//     has come to rely on since then has another revision (step 2). A writer that relied on it before then has lost
//     in step 3.
//  5. A writer that gives up before step 3 removes the claims that did not name the cluster before, by the revisions
//     of step 2. A claim that it wrote over that of another writer of the cluster stays, since that writer may be about
//     to do step 3.
//
// A claim whose cluster's document does not have the address belongs to a writer between steps 2 and 3, or was left by
// one that died there or before step 4. It stands for the grace time. Then another writer may take it over:
//
//  6. Read the claim. Read the other cluster's document, which must not have the address. Write that document as it is
//     over the revision read, or as a deleted one if it does not exist. Write the claim over the revision read.
//
// From then on the document has another revision, so a slow writer's step 3 fails, unless it has read the document
// after that. But then it has written the claim after that, too, and the last write of step 6 fails. Safety does not
// depend on the grace time or on clocks: they only decide which living writers are disturbed.

// DefaultGrace is longer than any writer lives, which is commitTime.
const DefaultGrace = time.Minute

// The fields of a claim.
const (
	fieldCluster = "cluster_id"
	fieldWriter  = "writer" // makes equal claims of two writers different revisions

	claimType = "customer_cluster_claim"
)

// claims is what one write does to the claims of its cluster.
type claims struct {
	*Registry
	cluster string
	writer  string
	gone    []document.Document // claims to remove once the document is written
	own     map[string]string   // by id, the revision of claims that no other writer of the cluster relies on
}

func (r *Registry) claims(cluster string) *claims {
	return &claims{Registry: r, cluster: cluster, writer: rand.Text(), own: map[string]string{}}
}

// secure makes the wanted slots the cluster's, where had is what its document has. Those that another cluster has
// are a fault.Invalid with their places; fault.Conflict says that the write has to start over.
func (c *claims) secure(ctx context.Context, had map[addressSlot]bool, wanted map[addressSlot]field) error {
	found, err := c.find(ctx, had, wanted)
	if err != nil {
		return err
	}
	c.gone = nil
	for s := range had {
		claim := found[s.String()]
		if _, keep := wanted[s]; !keep && claim.String(fieldCluster) == c.cluster {
			c.gone = append(c.gone, claim)
		}
	}
	var fresh, foreign []addressSlot
	for s := range wanted {
		switch holder := found[s.String()].String(fieldCluster); {
		case holder == "":
			fresh = append(fresh, s)
		case holder != c.cluster:
			foreign = append(foreign, s)
		}
	}
	taken, err := c.heldByOthers(ctx, fresh, foreign, found)
	if err != nil {
		return err
	}
	if err := refuse(taken, wanted); err != nil {
		return err
	}
	return c.claim(ctx, had, wanted, found)
}

// find reads the claims of slots, by id.
func (c *claims) find(
	ctx context.Context, had map[addressSlot]bool, wanted map[addressSlot]field,
) (map[string]document.Document, error) {
	ids := map[string]bool{}
	for s := range had {
		ids[s.String()] = true
	}
	for s := range wanted {
		ids[s.String()] = true
	}
	return c.store.GetMany(ctx, ClaimsDatabase, slices.Sorted(maps.Keys(ids)))
}

// claim writes the claims that the document to be written will rely on and the one read does not.
func (c *claims) claim(
	ctx context.Context, had map[addressSlot]bool, wanted map[addressSlot]field, found map[string]document.Document,
) error {
	now := document.Number(kazoo.Gregorian(c.options.Now()))
	var docs []document.Document
	removable := map[string]bool{} // claims that we may remove again
	for s := range wanted {
		id := s.String()
		before := found[id]
		if had[s] && before.String(fieldCluster) == c.cluster {
			continue
		}
		doc := document.Document{"_id": id, kazoo.FieldType: claimType, fieldCluster: c.cluster,
			kazoo.FieldModified: now, fieldWriter: c.writer}
		if before != nil {
			doc["_rev"] = before.Rev()
		}
		docs = append(docs, doc)
		ours := before.String(fieldCluster) == c.cluster
		removable[id] = !had[s] && (!ours || c.own[id] == before.Rev())
	}
	slices.SortFunc(docs, func(a, b document.Document) int { return strings.Compare(a.ID(), b.ID()) })
	return c.putAll(ctx, docs, removable)
}

// putAll writes claims. It returns the first failure; other claims may have been written.
func (c *claims) putAll(ctx context.Context, docs []document.Document, removable map[string]bool) error {
	written, failed := c.store.PutMany(ctx, ClaimsDatabase, docs)
	for i, w := range written {
		id, err := docs[i].ID(), w.Err
		if delete(c.own, id); err == nil && removable[id] {
			c.own[id] = w.Rev
		}
		if failed == nil {
			failed = err
		}
	}
	return failed
}

// release removes the claims that the written document no longer needs. One that stays does no harm: it can
// be taken over as soon as the grace time since it was made is over.
func (c *claims) release(ctx context.Context) { c.remove(ctx, c.gone) }

// abandon removes the claims of a write that came to nothing.
func (c *claims) abandon(ctx context.Context) {
	var docs []document.Document
	for id, rev := range c.own {
		docs = append(docs, document.Document{"_id": id, "_rev": rev})
	}
	c.remove(ctx, docs)
}

func (c *claims) remove(ctx context.Context, docs []document.Document) {
	deletions := make([]document.Document, len(docs))
	for i, doc := range docs {
		deletions[i] = document.Document{"_id": doc.ID(), "_rev": doc.Rev(), "_deleted": true}
	}
	written, err := c.store.PutMany(ctx, ClaimsDatabase, deletions)
	for _, w := range written {
		if w.Err != nil && !fault.Is(w.Err, fault.Conflict) { // a conflict: another writer relies on it
			err = w.Err
		}
	}
	if err != nil {
		c.options.Log.Warn().Err(err).Str("cluster", c.cluster).Int("count", len(docs)).
			Msg("claims of addresses that the cluster does not have are left; others can take them after the grace time")
	}
}
