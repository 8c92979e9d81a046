package projection

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// walk compares the copies of accounts with the pool, account by account, and writes nothing. A full pass and
// a survey are what they make of what it finds.
type walk struct {
	views
	held map[string][]string // by account: the addresses that the pool says it holds
	// limit bounds how many accounts are compared. A negative one is no limit.
	limit int
	// found is called with what differs in an account, and how many copies that has.
	found func(accountID string, differences []difference, copies int)
	// abandoned is called with addresses whose holder does not exist.
	abandoned func(accountID string, ids []string)
}

// run walks over the accounts that hold addresses, and then over the others. It reports whether that were all.
func (w *walk) run(ctx context.Context) (all bool, err error) {
	ids, err := account.IDs(ctx, w.store)
	if err != nil {
		return false, err
	}
	listed := map[string]bool{}
	for _, id := range ids {
		listed[id] = true
	}
	holders := slices.Sorted(maps.Keys(w.held))
	others := slices.DeleteFunc(ids, func(id string) bool { return len(w.held[id]) > 0 })
	for n, id := range slices.Concat(holders, others) {
		if n == w.limit {
			return false, nil
		}
		if err := w.look(ctx, id, listed[id]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// look compares one account. One that is not listed is an account like others if it is in its own database.
func (w *walk) look(ctx context.Context, accountID string, listed bool) error {
	if !listed {
		holder, err := account.Get(ctx, w.store, accountID)
		if account.Missing(err) || err == nil && holder.Deleted {
			w.abandoned(accountID, w.held[accountID])
			return nil
		}
		if err != nil {
			return err
		}
	}
	copies, err := w.copies(ctx, accountID)
	if err != nil {
		return err
	}
	ids := slices.Concat(w.held[accountID], copies)
	slices.Sort(ids)
	var differences []difference
	for some := range slices.Chunk(slices.Compact(ids), chunk) {
		found, _, _, err := compare(ctx, w.store, accountID, some)
		if errors.Is(err, errNoDatabase) {
			w.abandoned(accountID, w.held[accountID])
			return nil
		}
		if err != nil {
			return err
		}
		differences = append(differences, found...)
	}
	w.found(accountID, differences, len(copies))
	return ctx.Err()
}

// Sample counts things, and names the first few of them.
type Sample struct {
	Count int
	First []string
}

// tallied is how many are named.
const tallied = 3

func (t *Sample) add(name string) {
	t.Count++
	if len(t.First) < tallied {
		t.First = append(t.First, name)
	}
}

// Survey is what is wrong with the documents of a pool and with the accounts' copies.
type Survey struct {
	Addresses    int    // in the pool
	NotAddresses Sample // documents of the pool whose id is no address
	Spelled      Sample // addresses that the pool has in several spellings
	Contested    Sample // those of them that several accounts hold
	Conflicts    Sample // documents with losing revisions
	Nobodys      Sample // addresses that are assigned, but to no account
	Abandoned    Sample // addresses that are held by accounts that do not exist
	Missing      Sample // copies that an account should have
	Stale        Sample // copies that do not equal the pool
	LeftOver     Sample // copies of what the account does not hold
	Accounts     int    // whose copies were compared
	All          bool   // there are no more accounts
}

// TakeSurvey reads the whole pool, and the copies of the accounts that hold addresses and of others, of a number of
// accounts at most. It writes nothing.
func TakeSurvey(ctx context.Context, s ViewStore, accounts int) (Survey, error) {
	v := &scan{held: map[string][]string{}, spelled: map[string][]document.Document{}}
	err := s.All(ctx, kazoo.DedicatedIPs, store.Query{IncludeDocs: true}, func(row store.Row) error {
		doc, err := row.Doc()
		if err == nil && history.StateOf(doc).Exists {
			v.examine(doc)
		}
		return err
	})
	if err != nil {
		return Survey{}, err
	}
	v.compareSpellings()
	w := walk{views: views{store: s}, held: v.held, limit: accounts, found: v.found, abandoned: v.abandoned}
	v.All, err = w.run(ctx)
	return v.Survey, err
}

// scan takes one survey.
type scan struct {
	Survey
	held    map[string][]string            // by account
	spelled map[string][]document.Document // by expanded address
}

// examine looks at a document of the pool.
func (v *scan) examine(doc document.Document) {
	v.Addresses++
	if addr, ok := ipaddr.Parse(doc.ID()); ok {
		v.spelled[ipaddr.Key(addr)] = append(v.spelled[ipaddr.Key(addr)], doc)
	} else {
		v.NotAddresses.add(doc.ID())
	}
	if len(doc.Strings("_conflicts")) > 0 {
		v.Conflicts.add(doc.ID())
	}
	switch accountID := history.StateOf(doc).Holder; {
	case accountID != "":
		v.held[accountID] = append(v.held[accountID], doc.ID())
	case doc.String(kazoo.FieldStatus) != kazoo.Available:
		v.Nobodys.add(doc.ID())
	}
}

// compareSpellings finds the addresses that are in the pool more than once.
func (v *scan) compareSpellings() {
	for _, key := range slices.Sorted(maps.Keys(v.spelled)) {
		twins := v.spelled[key]
		if len(twins) < 2 {
			continue
		}
		ids, holders := make([]string, len(twins)), map[string]bool{}
		for i, doc := range twins {
			ids[i] = doc.ID()
			if accountID := history.StateOf(doc).Holder; accountID != "" {
				holders[accountID] = true
			}
		}
		v.Spelled.add(strings.Join(ids, " = "))
		if len(holders) > 1 {
			v.Contested.add(strings.Join(ids, " = "))
		}
	}
}

func (v *scan) found(accountID string, differences []difference, _ int) {
	v.Accounts++
	tallies := map[string]*Sample{CopyCreated: &v.Missing, CopyUpdated: &v.Stale, CopyRemoved: &v.LeftOver}
	for _, d := range differences {
		tallies[d.kind()].add(d.write.ID() + " (" + accountID + ")")
	}
}

func (v *scan) abandoned(accountID string, ids []string) {
	for _, id := range ids {
		v.Abandoned.add(id + " (" + accountID + ")")
	}
}
