package inventory

import (
	"context"
	"strings"

	"junctor/pkg/accountlist"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/pooldb"
	"junctor/pkg/startkey"
	"junctor/pkg/store"
)

// AccountsRequest selects accounts.
type AccountsRequest struct {
	Search   string // part of a name or realm, or the beginning of an id, in either case; empty means all
	PageSize int    // at most MaxPageSize; 0 is DefaultPageSize
	StartKey string // AccountsPage.Next of the page before
}

// Account is an account, and how many addresses it has.
type Account struct {
	accountlist.Account
	Assigned int `json:"assigned"`
}

// AccountsPage is a page of the accounts.
type AccountsPage struct {
	Accounts []Account
	Next     string // where the next page begins; empty if there is none
	Bypassed bool   // whether the addresses were counted in the store, since memory was not current
}

// Accounts lists accounts by name, without regard to case, and then by id.
func (i *Inventory) Accounts(ctx context.Context, r AccountsRequest) (AccountsPage, error) {
	text, err := searched(r.Search)
	if err != nil {
		return AccountsPage{}, err
	}
	size, err := PageSize(r.PageSize)
	if err != nil {
		return AccountsPage{}, err
	}
	listing := listingOf("accounts", strings.ToLower(text))
	from := accountlist.Position{}
	begin, err := after(r.StartKey, listing, 2)
	if err != nil {
		return AccountsPage{}, err
	}
	if begin != nil {
		from = accountlist.Position{Name: begin[0], ID: begin[1]}
	}
	accounts, err := i.accounts.Page(ctx, text, from, size+1)
	if err != nil {
		return AccountsPage{}, err
	}
	page := AccountsPage{Accounts: []Account{}}
	if len(accounts) > size {
		next := accounts[size]
		page.Next = startkey.Encode(position{After: []string{strings.ToLower(next.Name), next.ID}, Of: listing})
		accounts = accounts[:size]
	}
	reader := i.pool.Read()
	page.Bypassed = reader.Bypassed()
	counts, err := i.held(ctx, reader, accounts)
	for _, a := range accounts {
		page.Accounts = append(page.Accounts, Account{a, counts[a.ID]})
	}
	return page, err
}

// held returns how many addresses accounts have, by id.
func (i *Inventory) held(ctx context.Context, reader dedicatedip.Reader, accounts []accountlist.Account) (
	map[string]int, error,
) {
	counts := make(map[string]int, len(accounts))
	ids := make([]any, len(accounts))
	for n, a := range accounts {
		ids[n] = a.ID
		if x := reader.Index(); x != nil {
			counts[a.ID] = x.Held(a.ID)
		}
	}
	if reader.Index() != nil || len(accounts) == 0 {
		return counts, nil
	}
	q := store.Query{Keys: ids}
	err := i.store.View(ctx, dedicatedip.Database, pooldb.KazooDesign, "assigned_to_listing", q, func(row store.Row) error {
		var id string
		if isAddress(row.ID()) && row.Key(&id) == nil {
			counts[id]++
		}
		return nil
	})
	return counts, err
}
