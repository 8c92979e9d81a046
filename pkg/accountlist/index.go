package accountlist

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// index has accounts by id and by name.
type index struct {
	mu      sync.RWMutex
	byID    map[string]*entry
	ordered *btree.BTreeG[*entry] // by name in lower case, then by id
}

// entry is an account. It does not change.
type entry struct {
	Account
	rev   string
	lower string // the name in lower case
}

func newIndex() *index {
	less := func(a, b *entry) bool {
		return cmp.Or(strings.Compare(a.lower, b.lower), strings.Compare(a.ID, b.ID)) < 0
	}
	return &index{byID: map[string]*entry{}, ordered: btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
}

// Apply makes the index hold a document as it is stored now.
func (x *index) Apply(doc document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.byID[doc.ID()]; old != nil {
		delete(x.byID, old.ID)
		x.ordered.Delete(old)
	}
	if doc.Bool("_deleted") || doc[kazoo.FieldType] != "account" || doc.Bool(kazoo.FieldDeleted) {
		return
	}
	x.add(Account{doc.ID(), doc.String("name"), doc.String("realm")}, doc.Rev())
}

func (x *index) add(a Account, rev string) {
	e := &entry{Account: a, rev: rev, lower: strings.ToLower(a.Name)}
	x.byID[e.ID] = e
	x.ordered.Set(e)
}

// Revision returns the revision of an account's document, "" if there is none.
func (x *index) Revision(id string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[id]; e != nil {
		return e.rev
	}
	return ""
}

// IDs returns the ids of all accounts.
func (x *index) IDs() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Collect(maps.Keys(x.byID))
}

// account returns an account, and whether there is one.
func (x *index) account(id string) (Account, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[id]; e != nil {
		return e.Account, true
	}
	return Account{}, false
}

// beginning returns the accounts whose names begin with text, in either case.
func (x *index) beginning(text string) (accounts []Account) {
	text = strings.ToLower(text)
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.ordered.Ascend(&entry{lower: text}, func(e *entry) bool {
		begins := strings.HasPrefix(e.lower, text)
		if begins {
			accounts = append(accounts, e.Account)
		}
		return begins
	})
	return accounts
}

// page returns the accounts that match, from a position on, at most limit.
func (x *index) page(matches func(Account) bool, from Position, limit int) (accounts []Account) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.ordered.Ascend(&entry{lower: from.Name, Account: Account{ID: from.ID}}, func(e *entry) bool {
		if matches(e.Account) {
			accounts = append(accounts, e.Account)
		}
		return len(accounts) < limit
	})
	return accounts
}
