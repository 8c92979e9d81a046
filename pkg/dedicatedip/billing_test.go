package dedicatedip

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

var billingCases = []testCase{
	{"approved", approved},
	{"disapproved", disapproved},
	{"approval comes last", approvalIsLast},
	{"approved again", approvedAgain},
	{"billing learns of copies", billingLearns},
	{"billing learns of repairs", billingLearnsOfRepairs},
}

// approved: the hook gets the number of addresses that are added, each counted once.
func approved(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	var asked []int
	approve := func(_ context.Context, quantity int) error {
		asked = append(asked, quantity)
		return nil
	}
	for _, addresses := range [][]string{{"10.0.0.1"}, {"10.0.0.2", "::ffff:10.0.0.2", "10.0.0.3"}, nil} {
		s.ok(outcome(s.Assign(s.Context(), AssignRequest{Account: accountA, Addresses: addresses, Approve: approve})))
	}
	s.ok(s.release(s.Pool, accountA, "10.0.0.2"))
	if !slices.Equal(asked, []int{1, 2}) {
		s.Errorf("called with %v", asked)
	}
	s.holds("10.0.0.1="+accountA, "10.0.0.2", "10.0.0.3="+accountA)
}

func disapproved(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	reason := errors.New("no money")
	before := s.stored(Database, "10.0.0.1").Rev()
	for _, addresses := range [][]string{{"10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}} {
		r := toAssign(accountA, addresses...)
		r.Approve = func(context.Context, int) error { return reason }
		if _, err := s.Assign(s.Context(), r); !errors.Is(err, reason) {
			s.Errorf("got %v", err)
		}
	}
	if after := s.stored(Database, "10.0.0.1").Rev(); after != before {
		s.Errorf("written: %s, then %s", before, after)
	}
	s.holds("10.0.0.1", "10.0.0.2")
}

// approvalIsLast: the hook is not called for what can't be had anyway, or is of another revision than the client
// expects.
func approvalIsLast(s *subject) {
	s.free("10.0.0.1")
	s.give(accountB, "10.0.0.2")
	assign := func(match store.Match, addresses ...string) error {
		_, err := s.Assign(s.Context(), AssignRequest{Account: accountA, Addresses: addresses, IfMatch: match,
			Approve: func(context.Context, int) error { return fault.New(fault.PaymentRequired, "") }})
		return err
	}
	testutil.RequireFault(s, assign(nil, "10.0.0.1", "10.9.9.9"), fault.Invalid)
	testutil.RequireFault(s, assign(nil, "10.0.0.1", "10.0.0.2"), fault.Invalid)
	testutil.RequireFault(s, assign(nil, "nonsense"), fault.Invalid)
	testutil.RequireFault(s, assign(func(string) bool { return false }, "10.0.0.1"), fault.PreconditionFailed)
	testutil.RequireFault(s, assign(func(string) bool { return true }, "10.0.0.1"), fault.PaymentRequired)
}

// approvedAgain: of an address that is lost while the hook decides, the new state decides.
func approvedAgain(s *subject) {
	s.free("10.0.0.1", "10.0.0.2")
	r := toAssign(accountA, "10.0.0.1")
	r.Approve = func(context.Context, int) error {
		err := s.assign(s.Pool, accountB, "10.0.0.1")
		return err
	}
	s.saying(outcome(s.Assign(s.Context(), r)), "ips%2E0 forbidden: ip assigned to another account: 10.0.0.1")
	asked := 0
	r = toAssign(accountA, "10.0.0.2")
	r.Approve = func(context.Context, int) error {
		if asked++; asked == 1 {
			s.write(Database, "10.0.0.2", func(doc document.Document) { doc["pvt_zone"] = "elsewhere" })
		}
		return nil
	}
	s.ok(outcome(s.Assign(s.Context(), r)))
	if asked != 2 {
		s.Errorf("called %d times", asked)
	}
	s.holds("10.0.0.1="+accountB, "10.0.0.2="+accountA)
}

// told records the accounts that billing was called for.
type told struct {
	mu       sync.Mutex
	accounts []string
}

func (b *told) add(_ context.Context, accountID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.accounts = append(b.accounts, accountID)
}

// was checks which accounts those were since the last time.
func (b *told) was(s *subject, want ...string) {
	s.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.accounts, want) {
		s.Errorf("billing was called for %q, want %q", b.accounts, want)
	}
	b.accounts = nil
}

// billingLearns of every account whose copies are others, when they are, and of nothing else.
func billingLearns(s *subject) {
	b := &told{}
	s.Pool = s.poolWith(s.s, Options{Copies: projection.Options{Written: b.add}})
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3")
	b.was(s)
	s.ok(s.assign(s.Pool, accountA, "10.0.0.1", "10.0.0.2", "10.0.0.3"))
	b.was(s, accountA)
	testutil.RequireFault(s, s.assign(s.Pool, accountB, "10.0.0.1"), fault.Invalid)
	s.ok(outcome(s.Assign(s.Context(), AssignRequest{Account: accountB})))
	b.was(s)
	s.ok(s.release(s.Pool, accountA, "10.0.0.1"))
	b.was(s, accountA)
	s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.1"}))) // which no account has
	b.was(s)
	s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: "10.0.0.2"})))
	b.was(s, accountA)
	s.ok(outcome(s.ReleaseAll(s.Context(), ReleaseAllRequest{Account: accountA})))
	b.was(s, accountA)
	db := s.accountDB(accountA)
	s.free("10.0.0.4")
	p := s.poolWith(s.s.With(when("put", db, 1, responseLost)), Options{Copies: projection.Options{Written: b.add}})
	s.ok(s.assign(p, accountA, "10.0.0.4"))
	b.was(s, accountA)
}

// billingLearnsOfRepairs: a repaired copy may be the first of an address.
func billingLearnsOfRepairs(s *subject) {
	b := &told{}
	p := s.poolWith(s.s, Options{Copies: projection.Options{Written: b.add}, Now: time.Now})
	s.listAccounts(accountA, accountB)
	s.hold(accountA, []string{"10.0.0.1"})
	s.putIn(s.accountDB(accountB), `{"_id":"10.0.0.1","pvt_type":"dedicated_ip"}`)
	r := projection.NewReconciler(p.Projector(), s.s, projection.ReconcilerOptions{})
	s.ok(r.Repair(s.Context(), false))
	b.was(s, accountB)
	s.ok(r.Repair(s.Context(), false))
	b.was(s)
}
