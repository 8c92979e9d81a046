package dedicatedip

import (
	"fmt"
	"io"
	"reflect"
	"testing"

	"junctor/pkg/projection"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/store/storetest"
)

var rebuildCases = []testCase{
	{"rebuild a lost pool", rebuildLost},
	{"rebuild what is contested", rebuildContested},
}

// afterLoss returns what is left where a pool was lost: the accounts and their copies.
func (s *subject) afterLoss(copies map[string][]document.Document) *subject {
	s.Helper()
	lost := &subject{T: s.T, s: storetest.Apart{Store: s.s.Store, Prefix: s.s.Prefix + "lost/"}, clock: s.clock}
	lost.Pool = lost.pool(lost.s, io.Discard)
	s.ok(lost.s.CreateDatabase(s.Context(), projection.StateDatabase))
	lost.putIn(projection.StateDatabase, `{"_id":"pool","pvt_type":"junctor_pool"}`,
		`{"_id":"reconciler","pvt_type":"junctor_reconciler"}`)
	for _, id := range []string{accountA, accountB, accountC} {
		s.ok(lost.s.CreateDatabase(s.Context(), lost.accountDB(id)))
	}
	lost.listAccounts(accountA, accountB, accountC)
	for id, docs := range copies {
		lost.putMany(lost.accountDB(id), docs)
	}
	return lost
}

func copyOf(id, holder string) document.Document {
	return document.Document{
		"_id": id, "pvt_vsn": "1", "pvt_type": "dedicated_ip", "pvt_status": "assigned", "pvt_assigned_to": holder,
		"pvt_zone": "z1", "pvt_host": "h1", "pvt_created": document.Number(63800000000),
		"pvt_modified": document.Number(63800000001), "pvt_own": map[string]any{"kept": "as it is"}, "notes": "rack 7",
	}
}

func (s *subject) rebuilt(want Rebuilt) *testReconciler {
	s.Helper()
	h := s.reconciler()
	got, err := h.RebuildFromCopies(s.Context(), h.Reconciler, h.store, history.Actor{})
	s.ok(err)
	if !reflect.DeepEqual(got, want) {
		s.Errorf("rebuilt %+v\nwant    %+v", got, want)
	}
	return h
}

// rebuildLost: the pool has what the copies say, to the last field, and a full pass then finds nothing to repair.
func rebuildLost(s *subject) {
	a := []document.Document{copyOf("10.0.0.1", accountA), copyOf("2001:DB8::1", accountA), copyOf("10.0.0.3", accountA)}
	b := []document.Document{copyOf("10.0.0.2", accountB)}
	lost := s.afterLoss(map[string][]document.Document{accountA: a, accountB: b})
	h := lost.rebuilt(Rebuilt{Accounts: 3, Restored: 4})
	for _, want := range append(a, b...) {
		if got := lost.stored(Database, want.ID()); !projection.SameContent(got, want) {
			s.Errorf("in the pool is %v\nwant %v", got, want)
		}
	}
	if state := lost.stored(projection.StateDatabase, projection.StateID); state["lease_holder"] != nil {
		s.Errorf("left behind %v", state)
	}
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{})
	lost.copies(accountA, "10.0.0.1", "2001:DB8::1", "10.0.0.3")
	lost.rebuilt(Rebuilt{Accounts: 3, Present: 4}) // again
	s.ok(s.release(lost.Pool, accountA, "10.0.0.1"))
	lost.rebuilt(Rebuilt{Accounts: 3, Present: 3})
}

// rebuildContested: copies that contradict each other or the pool are reported and written nowhere.
func rebuildContested(s *subject) {
	free := copyOf("10.0.0.6", accountC)
	free["pvt_status"] = "available"
	lost := s.afterLoss(map[string][]document.Document{
		accountA: {copyOf("10.0.0.1", accountA), copyOf("2001:db8::1", accountA), copyOf("10.0.0.4", accountA)},
		accountB: {copyOf("10.0.0.1", accountB), copyOf("2001:DB8:0::1", accountB), copyOf("10.0.0.5", accountA)},
		accountC: {free, copyOf("10.0.0.7", accountC)},
	})
	claim := func(id, accountID, holder string) Claim {
		return Claim{IP: id, Account: accountID, Zone: "z1", Host: "h1", Holder: holder}
	}
	contested := []Claim{claim("10.0.0.1", accountB, ""), claim("2001:DB8:0::1", accountB, ""),
		claim("10.0.0.1", accountA, ""), claim("2001:db8::1", accountA, "")}
	unclear := []Claim{claim("10.0.0.5", accountB, ""), claim("10.0.0.6", accountC, "")}
	lost.rebuilt(Rebuilt{Accounts: 3, Restored: 2, Contested: contested, Unclear: unclear})
	for id, want := range map[string]bool{
		"10.0.0.1": false, "2001:db8::1": false, "10.0.0.4": true, "10.0.0.5": false, "10.0.0.6": false, "10.0.0.7": true,
	} {
		if got := lost.stored(Database, id) != nil; got != want {
			s.Errorf("the pool has %s: %t", id, got)
		}
	}
	lost.putMany(Database, []document.Document{copyOf("10.0.0.1", accountA)}) // the operator decides
	lost.rebuilt(Rebuilt{Accounts: 3, Present: 3, Unclear: unclear,
		Contested: []Claim{claim("10.0.0.1", accountB, accountA), contested[1], contested[3]}})
}

// TestRebuildManyCopies: more copies than one read takes, in a rebuild and in a full pass.
func TestRebuildManyCopies(t *testing.T) {
	t.Parallel()
	s := newSubject(t, storetest.Open(t, "memory:"))
	var docs []document.Document
	var ids []string
	for i := range 1001 {
		doc := copyOf(fmt.Sprintf("10.1.%d.%d", i/250, i%250), accountA)
		docs, ids = append(docs, doc), append(ids, doc.ID())
	}
	lost := s.afterLoss(map[string][]document.Document{accountA: docs})
	h := lost.rebuilt(Rebuilt{Accounts: 3, Restored: len(docs)})
	lost.write(lost.accountDB(accountA), ids[1000], func(doc document.Document) { doc["pvt_host"] = "h2" })
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{projection.CopyUpdated: 1})
	lost.copies(accountA, ids...)
}
