package dedicatedip

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// SurveyStore is what a survey needs of a store: nothing that writes.
type SurveyStore interface {
	account.Reader
	projection.Reader
	store.Viewer
	store.Lister
}

// Tally counts things, and names the first few of them.
type Tally struct {
	Count int
	First []string
}

// tallied is how many are named.
const tallied = 3

func (t *Tally) add(name string) {
	t.Count++
	if len(t.First) < tallied {
		t.First = append(t.First, name)
	}
}

// Survey is what is wrong with the documents of a pool and with the accounts' copies.
type Survey struct {
	Addresses    int   // that are in the pool
	NotAddresses Tally // documents of the pool whose id is none
	Spelled      Tally // addresses that stand there in several spellings
	Contested    Tally // those of them that several accounts hold
	Conflicts    Tally // documents with losing revisions
	Nobodys      Tally // addresses that are assigned, but to nobody
	Abandoned    Tally // addresses that are held by accounts that do not exist
	Future       Tally // documents that were written later than now
	Missing      Tally // copies that an account should have
	Stale        Tally // copies that are not what the pool says
	LeftOver     Tally // copies of what the account does not hold
	Accounts     int   // whose copies were looked at
	All          bool  // there are no more accounts
}

// TakeSurvey looks at the whole pool and at the copies of the accounts that hold addresses, and of others until it has
// seen so many. It writes nothing, not even a view of ours; where an account's database has none that lists copies,
// nobody wrote any there but for what the account holds.
func TakeSurvey(ctx context.Context, s SurveyStore, accounts int, now time.Time) (Survey, error) {
	return newSurveyor(s, accounts, now).take(ctx)
}

func newSurveyor(s SurveyStore, accounts int, now time.Time) *surveyor {
	return &surveyor{store: s, held: map[string][]string{}, spelled: map[string][]IP{}, limit: accounts, pageSize: chunk,
		now: kazoo.Gregorian(now)}
}

func (v *surveyor) take(ctx context.Context) (Survey, error) {
	if err := v.lookAtPool(ctx); err != nil {
		return Survey{}, err
	}
	v.compareSpellings()
	err := v.lookAtAccounts(ctx)
	return v.Survey, err
}

// surveyor takes one survey.
type surveyor struct {
	Survey
	store   SurveyStore
	held    map[string][]string // by account
	spelled map[string][]IP     // by expanded address
	now     int64               // Gregorian seconds

	limit, pageSize int // of accounts
}

// lookAtPool looks at every document of the pool.
func (v *surveyor) lookAtPool(ctx context.Context) error {
	q := store.Query{IncludeDocs: true}
	return v.store.All(ctx, Database, q, func(row store.Row) error {
		doc, err := row.Doc()
		if err == nil && isDedicatedIP(doc) {
			v.note(IP{doc})
		}
		return err
	})
}

// ahead is how far a clock may be ahead of ours before what it wrote is noted, in seconds.
const ahead = 60

func (v *surveyor) note(ip IP) {
	v.Addresses++
	if addr, ok := ipaddr.Parse(ip.ID()); ok {
		v.spelled[ipaddr.Key(addr)] = append(v.spelled[ipaddr.Key(addr)], ip)
	} else {
		v.NotAddresses.add(ip.ID())
	}
	if len(ip.doc.Strings("_conflicts")) > 0 {
		v.Conflicts.add(ip.ID())
	}
	switch holder := ip.AssignedTo(); {
	case ip.free():
	case holder == "":
		v.Nobodys.add(ip.ID())
	default:
		v.held[holder] = append(v.held[holder], ip.ID())
	}
	created, _ := ip.doc.Int(fieldCreated)
	modified, _ := ip.doc.Int(fieldModified)
	if max(created, modified) > v.now+ahead {
		v.Future.add(ip.ID())
	}
}

// compareSpellings finds the addresses that are in the pool more than once.
func (v *surveyor) compareSpellings() {
	for _, key := range slices.Sorted(maps.Keys(v.spelled)) {
		twins := v.spelled[key]
		if len(twins) < 2 {
			continue
		}
		ids, holders := make([]string, len(twins)), map[string]bool{}
		for i, ip := range twins {
			ids[i] = ip.ID()
			if holder := ip.AssignedTo(); holder != "" && !ip.free() {
				holders[holder] = true
			}
		}
		v.Spelled.add(strings.Join(ids, " = "))
		if len(holders) > 1 {
			v.Contested.add(strings.Join(ids, " = "))
		}
	}
}
