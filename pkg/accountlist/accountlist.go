// Package accountlist lists the accounts of a cluster by name.
//
// A process that follows the database of accounts has them in memory: id, name and realm, some 200 bytes an account.
// Without that, or while the feed is behind, a call reads what it needs from the store: for a listing all accounts.
//
// The package knows neither who may see an account nor which addresses an account has.
package accountlist

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/backoff"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/mirror"
)

// Account is a row of the list.
type Account struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Realm string `json:"realm"`
}

// List lists accounts. It is safe for concurrent use.
type List struct {
	store     mirror.Store
	directory *account.Directory
	staleness time.Duration
	index     *index
	mirror    *mirror.Mirror // of the accounts, into index
	reading   chan struct{}  // bounds how many calls read all accounts at a time
}

// New returns the accounts of a directory, which are in a store. Reads are served from memory while a List follows the
// store and is at most staleness behind; if that is 0, they never are.
func New(s mirror.Store, d *account.Directory, staleness time.Duration, log zerolog.Logger) *List {
	x := newIndex()
	return &List{store: s, directory: d, staleness: staleness, index: x,
		mirror: mirror.New(s, kazoo.Accounts, x, mirror.Options{Log: log}), reading: make(chan struct{}, 1)}
}

// Follow reads all accounts into memory and follows what changes, until ctx ends. It returns if the staleness is 0.
func (l *List) Follow(ctx context.Context) {
	if l.staleness == 0 {
		return
	}
	pauses := backoff.New(firstPause, lastPause)
	for l.missing(ctx) { // before the store is bootstrapped
		if backoff.Sleep(ctx, pauses.Next()) != nil {
			return
		}
	}
	l.mirror.Run(ctx)
}

// The pauses between two looks for the database of accounts.
const (
	firstPause = time.Second
	lastPause  = 10 * time.Second
)

func (l *List) missing(ctx context.Context) bool {
	_, _, err := l.store.Position(ctx, kazoo.Accounts)
	return fault.Is(err, fault.DatastoreMissing)
}

// FromMemory reports whether reads are served from memory at the moment.
func (l *List) FromMemory() bool { return l.current() != nil }

// current returns the accounts in memory, nil if they are not current.
func (l *List) current() *index {
	if time.Since(l.mirror.AsOf()) > l.staleness {
		return nil
	}
	return l.index
}

// Names returns the names of accounts by id, without those of accounts that do not exist. What is not in memory is read
// in one call of the store.
func (l *List) Names(ctx context.Context, ids []string) (map[string]string, error) {
	names, missing := make(map[string]string, len(ids)), ids
	if x := l.current(); x != nil {
		missing = nil
		for _, id := range ids {
			if a, ok := x.account(id); ok {
				names[id] = a.Name
			} else {
				missing = append(missing, id)
			}
		}
	}
	if len(missing) == 0 {
		return names, nil
	}
	docs, err := l.store.GetMany(ctx, kazoo.Accounts, missing)
	if fault.Is(err, fault.DatastoreMissing) { // nothing is bootstrapped yet
		return names, nil
	}
	if err != nil {
		return nil, err
	}
	read := newIndex()
	for id, doc := range docs {
		read.Apply(doc)
		if a, ok := read.account(id); ok {
			names[id] = a.Name
		}
	}
	return names, nil
}

// Beginning returns the accounts whose names begin with text, in either case, by name.
func (l *List) Beginning(ctx context.Context, text string) (accounts []Account, err error) {
	err = l.use(ctx, func(x *index) { accounts = x.beginning(text) })
	return accounts, err
}

// Position is where in the list a page begins: at the account with that name, in lower case, and id. The zero Position
// is the beginning.
type Position struct{ Name, ID string }

// Page lists the accounts that a text is found in, as account.Account.Matches reports; empty means all. They are in the
// order of their names in lower case, then of their ids, from a position on, and at most limit.
func (l *List) Page(ctx context.Context, text string, from Position, limit int) (accounts []Account, err error) {
	matches := func(a Account) bool { return (&account.Account{ID: a.ID, Name: a.Name, Realm: a.Realm}).Matches(text) }
	err = l.use(ctx, func(x *index) { accounts = x.page(matches, from, limit) })
	return accounts, err
}

// use calls do with the accounts in memory, or with what the store has now.
func (l *List) use(ctx context.Context, do func(*index)) error {
	if x := l.current(); x != nil {
		do(x)
		return nil
	}
	select {
	case l.reading <- struct{}{}:
		defer func() { <-l.reading }()
	case <-ctx.Done():
		return fault.Wrap(fault.DatastoreUnreachable, ctx.Err())
	}
	x := newIndex()
	err := l.directory.List(ctx, func(a *account.Account) error {
		x.add(Account{a.ID, a.Name, a.Realm}, "")
		return nil
	})
	if err == nil {
		do(x)
	}
	return err
}
