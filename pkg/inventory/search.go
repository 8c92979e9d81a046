package inventory

import (
	"context"
	"strconv"
	"strings"

	"junctor/pkg/cooling"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/poolindex"
	"junctor/pkg/startkey"
)

// SearchRequest selects addresses. Empty fields restrict nothing; an address has to match all others.
type SearchRequest struct {
	Zone, Host string
	Status     string // kazoo.Available or kazoo.Assigned
	AssignedTo string // an account's id
	CIDR       string // a network, as in "192.0.2.0/24", or an address
	Cooling    *bool  // whether it cools; nil restricts nothing
	Search     string // the beginning of an address, a host, or the name of the account, in either case
	PageSize   int    // at most MaxPageSize; 0 is DefaultPageSize
	StartKey   string // SearchPage.Next of the page before
}

// Row is an address, with what operators want to know beside it. A key whose value is not there is left out.
type Row struct {
	dedicatedip.Address
	Notes        string `json:"notes,omitempty"`
	AccountName  string `json:"account_name,omitempty"`
	CoolingUntil int64  `json:"cooling_until,omitempty"` // Gregorian seconds
}

// SearchPage is a page of a search.
type SearchPage struct {
	Rows     []Row
	Next     string // where the next page begins; empty if there is none
	Bypassed bool   // whether it was read from the store, since memory was not current
}

// Search lists addresses in order, IPv4 first; entries of the pool that are not addresses are left out. What is wrong
// with a request is a fault.Invalid at the name of the parameter.
//
// Without the pool in memory Search reads at most scannedRows of the store's view of addresses, so that a page may have
// fewer rows than asked for although there is a next one.
func (i *Inventory) Search(ctx context.Context, r SearchRequest) (SearchPage, error) {
	search, err := i.parse(ctx, r)
	if err != nil {
		return SearchPage{}, err
	}
	rule, err := i.pool.Cooling(ctx)
	if err != nil {
		return SearchPage{}, err
	}
	search.Cooling, search.Since = r.Cooling, rule.Since()
	size, err := PageSize(r.PageSize)
	if err != nil {
		return SearchPage{}, err
	}
	from, err := r.position()
	if err != nil {
		return SearchPage{}, err
	}
	reader := i.pool.Read()
	var entries []*poolindex.Entry
	var next *poolindex.Position
	if x := reader.Index(); x != nil {
		entries, next, err = searchMemory(ctx, x, search, from, size)
	} else {
		entries, next, err = i.scan(ctx, search, from, size)
	}
	if err != nil {
		return SearchPage{}, err
	}
	page := SearchPage{Bypassed: reader.Bypassed()}
	if page.Rows, err = i.rows(ctx, entries, rule); err == nil && next != nil {
		page.Next = startkey.Encode(position{After: []string{next.ID}, Of: r.listing()})
	}
	return page, err
}

// listing returns a text that differs from those of other searches.
func (r SearchRequest) listing() string {
	cooling := ""
	if r.Cooling != nil {
		cooling = strconv.FormatBool(*r.Cooling)
	}
	return listingOf("all", r.Zone, r.Host, r.Status, r.AssignedTo, r.CIDR, r.Search, cooling)
}

// position returns where to begin.
func (r SearchRequest) position() (poolindex.Position, error) {
	begin, err := after(r.StartKey, r.listing(), 1)
	if err != nil || begin == nil {
		return poolindex.Position{}, err
	}
	addr, ok := ipaddr.Parse(begin[0])
	if !ok {
		return poolindex.Position{}, startkey.Invalid(r.StartKey)
	}
	return poolindex.Position{Addr: addr, ID: begin[0]}, nil
}

// parse validates a request.
func (i *Inventory) parse(ctx context.Context, r SearchRequest) (s poolindex.Search, err error) {
	s = poolindex.Search{Zone: r.Zone, Host: r.Host, Status: r.Status, Holder: r.AssignedTo}
	if s.Status != "" && s.Status != kazoo.Available && s.Status != kazoo.Assigned {
		return s, fault.Finding("status", "enum", "Value not found in enumerated list of values",
			map[string]any{"target": []string{kazoo.Available, kazoo.Assigned}, "value": r.Status})
	}
	if s.Holder != "" && !kazoo.IsID(s.Holder) {
		return s, fault.Finding("assigned_to", "invalid", "Value must be the id of an account, 32 hexadecimal digits",
			map[string]any{"value": r.AssignedTo})
	}
	if r.CIDR != "" {
		block, err := ipaddr.ParseBlock(r.CIDR)
		if err != nil {
			return s, fault.Finding("cidr", "invalid", "Value "+err.Error(), map[string]any{"value": r.CIDR})
		}
		s.Within = &block
	}
	text, err := searched(r.Search)
	if err != nil || text == "" {
		return s, err
	}
	s.Begins = &poolindex.Begins{Addresses: ipaddr.Beginning(text), Host: strings.ToLower(text)}
	accounts, err := i.accounts.Beginning(ctx, text)
	if err != nil {
		return s, err
	}
	s.Begins.Holders = make(map[string]bool, len(accounts))
	for _, a := range accounts {
		s.Begins.Holders[a.ID] = true
	}
	return s, nil
}

// searchMemory returns a page from memory, and where the next one begins.
func searchMemory(
	ctx context.Context, x *poolindex.Index, s poolindex.Search, from poolindex.Position, size int,
) ([]*poolindex.Entry, *poolindex.Position, error) {
	found, err := x.Search(ctx, s, from, size)
	if err != nil {
		return nil, nil, fault.Wrap(fault.DatastoreUnreachable, err)
	}
	if !found.More {
		return found.Entries, nil, nil
	}
	last := found.Entries[len(found.Entries)-1]
	return found.Entries, &poolindex.Position{Addr: last.Address(), ID: last.ID()}, nil
}

// rows adds to entries what the index does not have: one read for the notes of those that have some, and at most one
// for the names of accounts.
func (i *Inventory) rows(ctx context.Context, entries []*poolindex.Entry, r cooling.Rule) ([]Row, error) {
	var noted, holders []string
	known := map[string]bool{"": true}
	for _, e := range entries {
		if e.HasNotes() {
			noted = append(noted, e.ID())
		}
		if !known[e.Holder()] {
			known[e.Holder()] = true
			holders = append(holders, e.Holder())
		}
	}
	names, err := i.accounts.Names(ctx, holders)
	if err != nil {
		return nil, err
	}
	notes, err := i.notes(ctx, noted)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(entries))
	for n, e := range entries {
		rows[n] = Row{
			Address: dedicatedip.AddressOf(e), Notes: notes[e.ID()], AccountName: names[e.Holder()],
			CoolingUntil: r.Until(e.Released()),
		}
	}
	return rows, nil
}

// notes reads the notes of addresses.
func (i *Inventory) notes(ctx context.Context, ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	docs, err := i.store.GetMany(ctx, dedicatedip.Database, ids)
	if err != nil {
		return nil, err
	}
	notes := make(map[string]string, len(docs))
	for id, doc := range docs {
		notes[id] = doc.String(kazoo.FieldNotes)
	}
	return notes, nil
}
