package dedicatedip

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/testutil"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

// Hashes of revisions that win and lose against any other.
var (
	winning = strings.Repeat("f", 32)
	losing  = strings.Repeat("0", 32)
)

// clusterCases are about a CouchDB cluster, which can accept two writers at once. There, the second one writes to
// another node; here, its revision comes in as replication brings it, right after ours was accepted.
func clusterCases(dsn string) []testCase {
	on := func(run func(*cluster)) func(*subject) {
		return func(s *subject) { run(newCluster(s, dsn)) }
	}
	return []testCase{
		{"cluster assign", on(clusterAssign)},
		{"cluster assign for one account", on(clusterAssignSame)},
		{"cluster bulk", on(clusterBulk)},
		{"cluster release", on(clusterRelease)},
		{"cluster create", on(clusterCreate)},
		{"cluster found later", on(clusterFoundLater)},
		{"cluster store fails", on(clusterStoreFails)},
		{"cluster equal writes", on(clusterEqualWrites)},
		{"cluster node comes back", on(clusterNodeComesBack)},
		{"cluster conflicting copies", on(clusterConflictingCopies)},
	}
}

type cluster struct {
	*subject
	dsn      string
	replicas *storetest.Replicas
}

// newCluster puts the pool behind a proxy that shows its database as one of a CouchDB cluster.
func newCluster(s *subject, dsn string) *cluster {
	s.Helper()
	c := &cluster{s, dsn, storetest.NewReplicas(s, dsn, s.s.Prefix+Database)}
	s.s.Store = storetest.Open(s.T, c.replicas.URL)
	s.Pool = s.pool(s.s, s.Output())
	if nodes, err := s.s.Nodes(s.Context(), s.s.Prefix+Database); err != nil || nodes != 3 {
		s.Fatalf("%d nodes, %v", nodes, err)
	}
	return c
}

// against makes another writer, for an account, accepted right after the next write.
func (c *cluster) against(accountID, hash, id string) *Pool {
	before := c.stored(Database, id)
	c.contest(func() { c.other(before, accountID, hash) })
	return c.Pool
}

func (c *cluster) contest(other func()) { c.replicas.Contest(c.s.Prefix+Database, other) }

// other is what another node accepted over the same revision, with what its writer does to the copies. No account
// is a release. It returns the document.
func (c *cluster) other(before document.Document, accountID, hash string) document.Document {
	c.Helper()
	doc := before.Clone()
	if holder := before.String("pvt_assigned_to"); holder != "" && accountID == "" {
		db := c.accountDB(holder)
		c.ok(c.s.Delete(c.Context(), db, doc.ID(), c.stored(db, doc.ID()).Rev()))
	}
	doc["pvt_status"], doc["pvt_modified"] = "available", json.Number("63900000000")
	delete(doc, "pvt_assigned_to")
	if accountID != "" {
		doc["pvt_status"], doc["pvt_assigned_to"] = "assigned", accountID
		copied := projection.Content(doc)
		if old := c.stored(c.accountDB(accountID), doc.ID()); old != nil {
			copied["_rev"] = old.Rev()
		}
		c.ok(outcome(c.s.Put(c.Context(), c.accountDB(accountID), copied)))
	}
	c.replicate(Database, doc, hash)
	return doc
}

// replicate brings in a revision of a document, made from the one it has, on every node.
func (c *cluster) replicate(db string, doc document.Document, hash string) {
	c.Helper()
	next := kazoo.Generation(doc.Rev()) + 1
	_, parent, _ := strings.Cut(doc.Rev(), "-")
	doc = maps.Clone(doc)
	history := []string{hash, parent}
	if parent == "" {
		history = history[:1]
	}
	doc["_rev"] = fmt.Sprintf("%d-%s", next, hash)
	doc["_revisions"] = map[string]any{"start": next, "ids": history}
	c.request(http.MethodPost, c.dsn, db, "/_bulk_docs", map[string]any{"new_edits": false, "w": 3, "docs": []any{doc}})
}

// resolved checks what holds once the feed has reported the conflicts of these addresses: a pool that follows the store
// removes what a loser has left behind that did not do so itself, as a Kazoo.
func (c *cluster) resolved(want ...string) {
	c.Helper()
	for _, each := range want {
		id, _, _ := strings.Cut(each, "=")
		testutil.Eventually(c, id+" without a conflict", func() bool { // on a real cluster not all nodes know at once
			c.ok(outcome(c.get(c.Context(), id)))
			return c.stored(Database, id)["_conflicts"] == nil
		})
	}
	c.becomes(want...)
}

func clusterAssign(c *cluster) {
	c.free("10.0.0.1", "10.0.0.2")
	err := c.assign(c.against(accountB, winning, "10.0.0.1"), accountA, "10.0.0.1")
	c.saying(err, "ips%2E0 forbidden: ip assigned to another account: 10.0.0.1")
	c.ok(c.assign(c.against(accountB, losing, "10.0.0.2"), accountA, "10.0.0.2"))
	c.resolved("10.0.0.1="+accountB, "10.0.0.2="+accountA)
}

func clusterAssignSame(c *cluster) {
	c.free("10.0.0.1", "10.0.0.2")
	err := c.assign(c.against(accountA, winning, "10.0.0.1"), accountA, "10.0.0.1")
	c.saying(err, "ips%2E0 superfluous: ip already assigned: 10.0.0.1")
	c.ok(c.assign(c.against(accountA, losing, "10.0.0.2"), accountA, "10.0.0.2"))
	c.resolved("10.0.0.1="+accountA, "10.0.0.2="+accountA)
}

func clusterBulk(c *cluster) {
	c.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	all := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}
	_, err := c.against(accountB, winning, "10.0.0.2").Assign(c.Context(), AssignRequest{Account: accountA, Addresses: all})
	c.conflictNames(err, "10.0.0.2")
	c.holds("10.0.0.1", "10.0.0.2="+accountB, "10.0.0.3")

	c.ok(c.release(c.Pool, accountB, "10.0.0.2"))
	_, err = c.against(accountB, losing, "10.0.0.2").Assign(c.Context(), AssignRequest{Account: accountA, Addresses: all})
	c.ok(err)
	c.resolved("10.0.0.1="+accountA, "10.0.0.2="+accountA, "10.0.0.3="+accountA)
}

func clusterRelease(c *cluster) {
	c.give(accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3")
	err := c.release(c.against("", winning, "10.0.0.1"), accountA, "10.0.0.1")
	c.saying(err, "ips%2E0 superfluous: ip not assigned: 10.0.0.1")
	_, err = c.against("", winning, "10.0.0.2").ReleaseAll(c.Context(), ReleaseAllRequest{Account: accountA})
	c.ok(err) // 10.0.0.3, once 10.0.0.2 is gone
	c.holds("10.0.0.1", "10.0.0.2", "10.0.0.3")
}

func clusterCreate(c *cluster) {
	for id, hash := range map[string]string{"10.0.0.1": winning, "10.0.0.2": losing} {
		c.contest(func() {
			doc, err := document.Decode([]byte(dedicated(id, "elsewhere", "")))
			c.ok(err)
			c.replicate(Database, doc, hash)
		})
		_, err := c.Create(c.Context(), inZone(id))
		zone := c.stored(Database, id)["pvt_zone"]
		if hash == losing && (err != nil || zone != "z1") || hash == winning && zone != "elsewhere" {
			c.Errorf("%s is in %v: %v", id, zone, err)
		}
		if hash == winning {
			testutil.RequireFault(c, err, fault.Conflict)
		}
	}
	c.resolved("10.0.0.1", "10.0.0.2")
}

// clusterFoundLater: both were told that they won, since neither node knew of the other.
func clusterFoundLater(c *cluster) {
	for i, hash := range []string{winning, losing} {
		id := fmt.Sprintf("10.0.0.%d", i)
		c.free(id)
		before := c.stored(Database, id)
		c.ok(c.assign(c.Pool, accountA, id))
		c.other(before, accountB, hash)
	}
	for id, holder := range map[string]string{"10.0.0.0": accountB, "10.0.0.1": accountA} {
		if ip, err := c.get(c.Context(), id); err != nil || ip.AssignedTo() != holder || ip.Private()["_conflicts"] != nil {
			c.Errorf("%s: %v, %v", id, ip.Private(), err)
		}
	}
	c.resolved("10.0.0.0="+accountB, "10.0.0.1="+accountA)
}

// clusterStoreFails: a write whose outcome can't be known stays as it is, and the copies follow it. Nothing is written
// until it is known.
func clusterStoreFails(c *cluster) {
	c.free("10.0.0.1", "10.0.0.2")
	c.contest(func() { c.replicas.Break(true) })
	testutil.RequireFault(c, c.assign(c.Pool, accountA, "10.0.0.1"), fault.DatastorePartial)
	testutil.RequireFault(c, c.assign(c.Pool, accountA, "10.0.0.2"), fault.DatastorePartial)
	c.replicas.Break(false)
	testutil.Eventually(c, "writes go on", func() bool {
		err := c.assign(c.Pool, accountA, "10.0.0.2")
		return err == nil
	})
	c.becomes("10.0.0.1="+accountA, "10.0.0.2="+accountA)
}

// clusterNodeComesBack: a writer reads the leaves while its node is cut off, and goes on when it is connected again.
// Meanwhile another writer has got the address: this one must not get it.
func clusterNodeComesBack(c *cluster) {
	for id, hash := range map[string]string{"10.0.0.1": winning, "10.0.0.2": losing} {
		c.free(id)
		before := c.stored(Database, id)
		c.contest(func() {
			c.replicas.AfterReading(c.s.Prefix+Database, func() {
				doc := c.other(before, accountB, hash)
				for range 2 { // it was sealed
					doc["_rev"] = fmt.Sprintf("%d-%s", kazoo.Generation(doc.Rev())+1, hash)
					c.replicate(Database, doc, hash)
				}
			})
		})
		c.saying(c.assign(c.Pool, accountA, id), "ips%2E0 forbidden: ip assigned to another account: "+id)
	}
	c.resolved("10.0.0.1="+accountB, "10.0.0.2="+accountB)
}

// clusterConflictingCopies: a copy of which another node has accepted another writer's, such as Kazoo's, does not come
// back when the address is released.
func clusterConflictingCopies(c *cluster) {
	for id, hash := range map[string]string{"10.0.0.1": winning, "10.0.0.2": losing} {
		c.free(id)
		c.ok(c.assign(c.Pool, accountA, id))
		db := c.accountDB(accountA)
		copied := c.stored(db, id)
		delete(copied, "_rev")
		c.replicate(db, copied, hash)
		if c.stored(db, id)["_conflicts"] == nil {
			c.Fatalf("%s has no conflict", id)
		}
		c.ok(c.release(c.Pool, accountA, id))
	}
	c.holds("10.0.0.1", "10.0.0.2")
}

// clusterEqualWrites: what two writers would write at the same time for the same account are two revisions, which
// neither clients nor copies show.
func clusterEqualWrites(c *cluster) {
	writers := map[string]bool{}
	for range 2 {
		c.ok(outcome(c.Create(c.Context(), inZone("10.0.0.1"))))
		ip, err := single(c.Assign(c.Context(), toAssign(accountA, "10.0.0.1")))
		c.ok(err)
		writer := c.stored(Database, "10.0.0.1").String(store.FieldWriter)
		if writer == "" || writers[writer] {
			c.Errorf("written by %q and %v", writer, writers)
		}
		writers[writer] = true
		copied := c.stored(c.accountDB(accountA), "10.0.0.1")
		nodes, err := c.s.Nodes(c.Context(), c.s.Prefix+c.accountDB(accountA)) // a name that the store takes for another
		c.ok(err)
		if ip.Private()[store.FieldWriter] != nil || copied == nil || nodes == 1 && copied[store.FieldWriter] != nil {
			c.Errorf("shown is %v, copied %v", ip.Private(), copied)
		}
		c.ok(outcome(c.Delete(c.Context(), DeleteRequest{Address: "10.0.0.1"})))
	}
}
