package dedicatedip

import (
	"fmt"
	"reflect"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

var surveyCases = []testCase{
	{"survey of copies", surveyCopies},
	{"survey without views", surveyWithoutViews},
	{"survey within bounds", surveyBounds},
}

func (s *subject) survey(accounts int) projection.Survey {
	s.Helper()
	found, err := projection.TakeSurvey(s.Context(), s.s, accounts)
	s.ok(err)
	return found
}

func tally(count int, first ...string) projection.Sample {
	return projection.Sample{Count: count, First: first}
}

// surveyed compares a survey with what it should be.
func (s *subject) surveyed(got, want projection.Survey) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Errorf("found %+v\nwant  %+v", got, want)
	}
}

// surveyCopies finds what a full pass of a Reconciler then repairs.
func surveyCopies(s *subject) {
	s.before()
	s.windows()
	s.installOurs(accountA)
	found := s.survey(10)
	s.surveyed(found, projection.Survey{
		Addresses: 4,
		Missing:   tally(2, "10.0.0.4 ("+accountB+")", "10.0.0.1 ("+accountA+")"),
		Stale:     tally(1, "10.0.0.5 ("+accountA+")"),
		LeftOver: tally(3,
			"10.0.0.2 ("+accountA+")", "10.0.0.3 ("+accountA+")", "10.0.0.4 ("+accountA+")"),
		Accounts: 3, All: true,
	})
	h := s.reconciler()
	s.ok(h.Repair(s.Context(), false))
	s.counts(h, map[string]int{
		projection.CopyCreated: found.Missing.Count, projection.CopyUpdated: found.Stale.Count, projection.CopyRemoved: found.LeftOver.Count,
	})
	s.surveyed(s.survey(10), projection.Survey{Addresses: 4, Accounts: 3, All: true})
}

// surveyWithoutViews installs none, and finds what concerns an account that holds addresses all the same.
func surveyWithoutViews(s *subject) {
	s.addressesBefore()
	s.writeAccounts(accountA, accountB, accountC)
	s.windows()
	found := s.survey(10)
	if found.Missing.Count != 2 || found.Stale.Count != 1 || found.LeftOver.Count != 0 || found.Accounts != 3 {
		s.Errorf("found %+v", found)
	}
	for _, db := range []string{kazoo.Accounts, s.accountDB(accountA)} {
		if doc := s.stored(db, "_design/"+pooldb.OurDesign); doc != nil {
			s.Errorf("%s has got %v", db, doc)
		}
	}
}

func surveyBounds(s *subject) {
	s.before()
	s.write(Database, "10.0.0.1", assigning(accountC)) // with whom there is no copy
	for n, want := range map[int]string{0: "0 false 0", 1: "1 false 0", 2: "2 false 1", 3: "3 true 1", 10: "3 true 1"} {
		found := s.survey(n)
		if got := fmt.Sprint(found.Accounts, found.All, found.Missing.Count); got != want {
			s.Errorf("of %d accounts: %s, want %s", n, got, want)
		}
	}
	if found := s.survey(10).Missing; found.Count != 1 || len(found.First) != 1 {
		s.Errorf("found %+v", found)
	}
}

// installOurs gives an account's database our views.
func (s *subject) installOurs(accountID string) {
	s.Helper()
	design, err := store.Design(couchdbviews.Files, "junctor_account.json")
	s.ok(err)
	s.ok(s.s.Install(s.Context(), s.accountDB(accountID), design))
}
