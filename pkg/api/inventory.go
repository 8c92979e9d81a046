package api

import (
	"strconv"

	"junctor/pkg/crossbar"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/inventory"
)

// listAll handles GET /ips/all.
func (s *Server) listAll(r *crossbar.Request) (crossbar.Reply, error) {
	size, err := pageSize(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	cooling, err := coolingFilter(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	if err := r.HoldResponse(size * bytesPerFound); err != nil { // before the page is read
		return crossbar.Reply{}, err
	}
	page, err := s.Inventory.Search(r.Context(), inventory.SearchRequest{
		Cooling: cooling,
		Zone:    given(r.Query.Get("zone")), Host: given(r.Query.Get("host")), Status: given(r.Query.Get("status")),
		AssignedTo: given(r.Query.Get("assigned_to")), CIDR: given(r.Query.Get("cidr")),
		Search: given(r.Query.Get("search")), PageSize: size, StartKey: startKey(r),
	})
	if err != nil {
		return crossbar.Reply{}, err
	}
	return crossbar.Reply{Data: page.Rows, PageSize: new(len(page.Rows)), Next: page.Next, Bypassed: page.Bypassed}, nil
}

// bytesPerFound is about what an address takes that a search finds, until the response is encoded. One with long notes
// takes more, and few have them.
const bytesPerFound = 2 << 10

// coolingFilter returns the parameter cooling, nil if it is not given.
func coolingFilter(r *crossbar.Request) (*bool, error) {
	if given(r.Query.Get("cooling")) == "" {
		return nil, nil
	}
	cooling, err := r.Flag("cooling", false)
	return &cooling, err
}

// listAccounts handles GET /ips/accounts.
func (s *Server) listAccounts(r *crossbar.Request) (crossbar.Reply, error) {
	size, err := pageSize(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	page, err := s.Inventory.Accounts(r.Context(), inventory.AccountsRequest{
		Search: given(r.Query.Get("search")), PageSize: size, StartKey: startKey(r),
	})
	if err != nil {
		return crossbar.Reply{}, err
	}
	return crossbar.Reply{Data: page.Accounts, PageSize: new(len(page.Accounts)), Next: page.Next, Bypassed: page.Bypassed}, nil
}

// usualDays is how many days GET /ips/summary goes back, and mostDays how many it can.
const (
	usualDays = 30
	mostDays  = 366
)

// summarize handles GET /ips/summary.
func (s *Server) summarize(r *crossbar.Request) (crossbar.Reply, error) {
	days, err := positive(r, "days")
	switch {
	case err != nil:
		return crossbar.Reply{}, err
	case days > mostDays:
		return crossbar.Reply{}, fault.Finding("days", "maximum", "Value must be at most 366",
			map[string]any{"target": mostDays, "value": days})
	case days == 0:
		days = usualDays
	}
	summary, err := s.Inventory.Summary(r.Context())
	if err != nil {
		return crossbar.Reply{Bypassed: summary.Bypassed}, err
	}
	byDay, err := s.History.AssignedByDay(r.Context(), summary.Total.Assigned, days)
	return crossbar.Reply{Data: struct {
		inventory.Summary
		Days []history.Day `json:"days"`
	}{summary, byDay}, Bypassed: summary.Bypassed}, err
}

// pageSize returns the parameter page_size of a listing that is not Crossbar's, the default if it is not given. What is
// no positive number, or too large, is a fault.Invalid.
func pageSize(r *crossbar.Request) (int, error) {
	size, err := positive(r, "page_size")
	if err != nil {
		return 0, err
	}
	return inventory.PageSize(size)
}

// startKey returns the parameter start_key of any listing.
func startKey(r *crossbar.Request) string { return given(r.Query.Get("start_key")) }

// positive returns a parameter that is a positive number, 0 if it is not given.
func positive(r *crossbar.Request, name string) (int, error) {
	text := given(r.Query.Get(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fault.Finding(name, "type", "Value did not match type(s): integer",
			map[string]any{"target": "integer", "value": text})
	case n < 1:
		return 0, fault.Finding(name, "minimum", "Value must be at least 1", map[string]any{"target": 1, "value": n})
	}
	return n, nil
}
