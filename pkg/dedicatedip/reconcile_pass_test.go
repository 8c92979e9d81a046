package dedicatedip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// editedCopies: copies that were edited, and one that was given another type.
func editedCopies(s *subject) {
	s.listAccounts(accountA, accountB)
	s.give(accountA, "10.0.0.1", "10.0.0.2")
	db := s.accountDB(accountA)
	s.write(db, "10.0.0.1", func(doc document.Document) { doc["pvt_zone"] = "elsewhere" })
	s.write(db, "10.0.0.2", func(doc document.Document) { doc["pvt_type"] = "note" })
	s.putIn(s.accountDB(accountB), `{"_id":"10.0.0.1","pvt_type":"dedicated_ip"}`,
		`{"_id":"10.0.0.9","pvt_type":"dedicated_ip"}`, `{"_id":"10.0.0.8","pvt_type":"device"}`)
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.holds("10.0.0.1="+accountA, "10.0.0.2="+accountA)
	s.counts(h, map[string]int{projection.CopyUpdated: 2, projection.CopyRemoved: 2})
	for id, want := range map[string]bool{"10.0.0.9": false, "10.0.0.8": true} {
		if doc := s.stored(s.accountDB(accountB), id); (doc != nil) != want {
			s.Errorf("%s: %v", id, doc)
		}
	}
}

// throughKazoosViews: where Kazoo's views are installed, they are read, and none of ours is added.
func throughKazoosViews(s *subject) {
	s.listAccounts(accountA)
	s.putIn(s.accountDB(accountA), `{"_id":"10.0.0.9","pvt_type":"dedicated_ip"}`, `{"_id":"a","pvt_type":"user"}`)
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{projection.CopyRemoved: 1})
	for _, db := range []string{kazoo.Accounts, s.accountDB(accountA)} {
		if doc := s.stored(db, "_design/junctor"); doc != nil {
			s.Errorf("%s has got %v", db, doc)
		}
	}
}

// survey is what doctor does: a full pass that writes nothing.
func (s *subject) survey(accounts int) projection.Survey {
	s.Helper()
	found, err := projection.TakeSurvey(s.Context(), s.s, accounts)
	s.ok(err)
	return found
}

// withoutViews: where Kazoo's are not, all documents are read, and no view of ours is added.
func withoutViews(s *subject) {
	s.writeAccounts(accountA, accountB)
	s.putIn(s.accountDB(accountB), `{"_id":"10.0.0.9","pvt_type":"dedicated_ip"}`, `{"_id":"a","pvt_type":"user"}`)
	if found := s.survey(10); found.LeftOver.Count != 1 || found.Accounts != 2 {
		s.Errorf("surveyed %+v", found)
	}
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{projection.CopyRemoved: 1})
	if doc := s.stored(s.accountDB(accountB), "_design/"+pooldb.OurDesign); doc != nil {
		s.Errorf("the account's database has got %v", doc)
	}
}

// manyAccounts is more than one read of accounts takes.
const manyAccounts = 1001

// listManyAccounts adds accounts that have no database to those that are listed, so that there are manyAccounts.
func (s *subject) listManyAccounts(listed int) {
	s.Helper()
	var docs []document.Document
	for i := range manyAccounts - listed {
		id := fmt.Sprintf("%032x", i)
		docs = append(docs, document.Document{"_id": id, "pvt_type": "account", "pvt_account_id": id, "pvt_tree": []any{}})
	}
	s.putMany(kazoo.Accounts, docs)
}

// pagesOfAccounts: all accounts are looked at and counted once, however many fit into one read (fault K1).
func pagesOfAccounts(s *subject) {
	s.listAccounts(accountA, accountB, accountC)
	s.listManyAccounts(3)
	for i, id := range []string{accountA, accountB, accountC} {
		s.putIn(s.accountDB(id), fmt.Sprintf(`{"_id":"10.0.0.%d","pvt_type":"dedicated_ip"}`, i))
	}
	if found := s.survey(2 * manyAccounts); found.Accounts != manyAccounts || found.LeftOver.Count != 3 || !found.All {
		s.Errorf("surveyed %+v", found)
	}
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{projection.CopyRemoved: 3})
	if log := h.log.String(); !strings.Contains(log, `"accounts":1001,"copies":3`) {
		s.Errorf("logged %s", log)
	}
}

// repeating is a store that pays no attention to where a read of the accounts, or of the available addresses, is to
// start, which was the effect of K1.
type repeating struct{ storetest.Apart }

func (r repeating) All(ctx context.Context, db string, q store.Query, each func(store.Row) error) error {
	q.StartKey = nil
	return r.Apart.All(ctx, db, q, each)
}

func (r repeating) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	if view == "available" {
		q.StartKey, q.Skip = nil, 0
	}
	return r.Apart.View(ctx, db, design, view, q, each)
}

// passWithoutProgress: a read of accounts that repeats itself ends the pass with an error that names the database, and the
// pass is not repeated at once (fault K1).
func passWithoutProgress(s *subject) {
	s.listAccounts(accountA, accountB, accountC)
	s.listManyAccounts(3)
	s.putIn(s.accountDB(accountA), `{"_id":"10.0.0.9","pvt_type":"dedicated_ip"}`)
	h := s.reconcilerOn(repeating{s.s}, projection.ReconcilerOptions{})
	if err := h.Repair(s.Context(), false); !errors.Is(err, store.ErrNoProgress) {
		s.Errorf("it ended with %v", err)
	}
	s.passed(h, projection.PassNoProgress)
	if log := h.log.String(); !strings.Contains(log, "_all_docs of database accounts") {
		s.Errorf("logged %s", log)
	}
	ctx, cancel := context.WithCancel(s.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	testutil.Eventually(s, "a second pass", func() bool { return strings.Count(h.log.String(), "_all_docs of database accounts") == 2 })
	cancel()
	running.Wait()
	s.counts(h, map[string]int{})
	if _, err := projection.TakeSurvey(s.Context(), repeating{s.s}, 10); !errors.Is(err, store.ErrNoProgress) {
		s.Errorf("the survey ended with %v", err)
	}
}

// passStops: a pool that has lost its documents does not take the copies with it (fault R1).
func passStops(s *subject) {
	s.listAccounts(accountA, accountB)
	var ids []string
	for i := range 60 {
		ids = append(ids, fmt.Sprintf("10.0.0.%d", i))
	}
	s.give(accountA, ids...)
	drop := func(ids []string) {
		for _, id := range ids {
			doc := s.stored(Database, id)
			s.ok(s.s.Delete(s.Context(), Database, id, doc.Rev()))
		}
	}
	pass := func(result string, removed int) *testReconciler {
		s.Helper()
		h := s.reconciler()
		err := h.Repair(s.Context(), false)
		if stopped := result == projection.PassStopped; stopped != (err != nil) {
			s.Errorf("the pass ended with %v", err)
		}
		want := map[string]int{}
		if removed > 0 {
			want[projection.CopyRemoved] = removed
		}
		s.counts(h, want)
		s.passed(h, result)
		return h
	}
	drop(ids[:10]) // as many as may be
	pass(projection.PassCompleted, 10)
	s.give(accountB, "10.0.1.1") // which is repaired by no pass that stops
	s.write(s.accountDB(accountB), "10.0.1.1", func(doc document.Document) { doc["pvt_zone"] = "elsewhere" })
	drop(ids[10:21])
	h := pass(projection.PassStopped, 0)
	if log := h.log.String(); !strings.Contains(log, "would remove 11 of the accounts' 51 copies") ||
		!strings.Contains(log, "junctor ips repair --confirm") {
		s.Errorf("logged %s", log)
	}
	s.ok(h.Repair(s.Context(), true))
	s.counts(h, map[string]int{projection.CopyRemoved: 11, projection.CopyUpdated: 1})
	s.passed(h, projection.PassStopped, projection.PassCompleted)

	old := s.stored(Database, ids[30]) // the pool is restored from an old backup
	for _, id := range ids[30:45] {
		s.write(Database, id, func(doc document.Document) {
			doc["pvt_status"], doc["pvt_modified"] = "available", old["pvt_created"]
			delete(doc, "pvt_assigned_to")
		})
	}
	pass(projection.PassStopped, 0)
	s.copiedFrom(accountA, ids[21:])
}

// copiedFrom checks that an account has copies of these addresses at least.
func (s *subject) copiedFrom(accountID string, ids []string) {
	s.Helper()
	copies, err := s.s.GetMany(s.Context(), s.accountDB(accountID), ids)
	s.ok(err)
	if len(copies) != len(ids) {
		s.Errorf("account %.4s has %d copies of %d", accountID, len(copies), len(ids))
	}
}

// passSparesContested: where the pool does not know an address and several accounts have copies of it, these stay until
// the operator has decided whose it is.
func passSparesContested(s *subject) {
	s.listAccounts(accountA, accountB)
	s.putMany(s.accountDB(accountA), []document.Document{copyOf("2001:db8::1", accountA), copyOf("10.0.0.9", accountA)})
	s.putMany(s.accountDB(accountB), []document.Document{copyOf("2001:DB8::1", accountB)})
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{projection.CopyRemoved: 1}) // 10.0.0.9
	s.copiedFrom(accountA, []string{"2001:db8::1"})
	s.copiedFrom(accountB, []string{"2001:DB8::1"})
	if log := h.log.String(); strings.Count(log, "several accounts have copies") != 2 {
		s.Errorf("logged %s", log)
	}
	s.give(accountA, "2001:db8::1")
	h = s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.copies(accountA, "2001:db8::1")
	s.copies(accountB)
}

// passRemovesReleased: what was released, or given to another account, is removed however much it is.
func passRemovesReleased(s *subject) {
	s.listAccounts(accountA, accountB)
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprintf("10.0.0.%d", i))
	}
	s.give(accountA, ids...)
	_ = s.release(s.dying(), accountA, ids...)
	s.copiedFrom(accountA, ids)
	_ = s.assign(s.dying(), accountB, ids[:15]...)
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{projection.CopyRemoved: 20, projection.CopyCreated: 15})
	s.copies(accountB, ids[:15]...)
	s.copies(accountA)
}

// hold writes addresses that an account holds, and their copies.
func (s *subject) hold(accountID string, ids []string) {
	s.Helper()
	var docs []document.Document
	for _, id := range ids {
		docs = append(docs, document.Document{"_id": id, "pvt_vsn": "1", "pvt_type": "dedicated_ip",
			"pvt_status": "assigned", "pvt_assigned_to": accountID, "pvt_zone": "z1", "pvt_host": "h1"})
	}
	s.putMany(Database, docs)
	s.putMany(s.accountDB(accountID), docs)
}

// abandonedAddresses: they are logged and left alone.
func abandonedAddresses(s *subject) {
	const gone, marked = "ffffffffffffffffffffffffffffffff", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
	s.before()
	s.ok(s.s.CreateDatabase(s.Context(), s.accountDB(marked)))
	s.putIn(s.accountDB(marked), `{"_id":"`+marked+`","pvt_type":"account","pvt_deleted":true}`)
	s.free("10.0.0.6", "10.0.0.7", "10.0.0.8")
	s.write(Database, "10.0.0.6", assigning(gone))
	s.write(Database, "10.0.0.7", assigning(marked))
	s.write(Database, "10.0.0.8", assigning("no account"))
	if found := s.survey(10).Abandoned; found.Count != 3 {
		s.Errorf("surveyed %+v", found)
	}
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{"abandoned": 3})
	for id, want := range map[string]string{"10.0.0.6": gone, "10.0.0.7": marked, "10.0.0.8": "no account"} {
		if got := s.stored(Database, id).String("pvt_assigned_to"); got != want || !strings.Contains(h.log.String(), id) {
			s.Errorf("%s is with %q, logged %s", id, got, h.log.String())
		}
	}
	if s.stored(s.accountDB(marked), "10.0.0.7") != nil {
		s.Error("a deleted account has got a copy")
	}
}

// A pass goes on past an account whose copies can't be written, and says so.
func TestAPassGoesOnPastAnUnwritableAccount(t *testing.T) {
	t.Parallel()
	s := newSubject(t, storetest.Open(t, "memory:"))
	s.listAccounts(accountA, accountB)
	for i, id := range []string{accountB, accountA} { // in the order of a pass
		address := fmt.Sprintf("10.0.0.%d", i)
		s.hold(id, []string{address})
		s.ok(s.s.Delete(s.Context(), s.accountDB(id), address, s.stored(s.accountDB(id), address).Rev()))
	}
	h := s.reconcilerOn(s.s.With(func(c storetest.Call, do func() error) error {
		if c.Name == "put" && c.DB == s.accountDB(accountB) {
			return fault.New(fault.DatastoreFault, "forbidden by validate_doc_update")
		}
		return do()
	}), projection.ReconcilerOptions{Patience: 50 * time.Millisecond})
	if err := h.Repair(s.Context(), false); err == nil || !strings.Contains(err.Error(), accountB) {
		t.Errorf("got %v", err)
	}
	testutil.Eventually(s, "copied", func() bool { return s.stored(s.accountDB(accountA), "10.0.0.1") != nil })
}
