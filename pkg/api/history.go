package api

import (
	"context"
	"math"
	"strconv"

	"junctor/pkg/crossbar"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
)

// listHistory handles GET /ips/history and GET /accounts/{account}/ips/history.
func (s *Server) listHistory(r *crossbar.Request) (crossbar.Reply, error) {
	f, err := historyFilter(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	if r.Account != nil {
		f.Account = r.Account.ID
	}
	return s.historyPage(r, f)
}

// listIPHistory handles GET /ips/{ip}/history. With "at" it is the one event that says who had the address then.
func (s *Server) listIPHistory(r *crossbar.Request) (crossbar.Reply, error) {
	at, atGiven, err := seconds(r, "at")
	if err != nil {
		return crossbar.Reply{}, err
	}
	f, err := historyFilter(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	if f.IP, err = s.historyOf(r.Context(), r.Vars["ip"]); err != nil {
		return crossbar.Reply{}, err
	}
	if !atGiven {
		return s.historyPage(r, f)
	}
	events := []history.Event{}
	e, ok, err := s.History.At(r.Context(), f.IP, at)
	if ok {
		events = append(events, e)
	}
	return crossbar.Reply{Data: events}, err
}

// historyOf returns the spelling under which the history has an address. One that neither it nor the pool has ever had is
// fault.BadIdentifier.
func (s *Server) historyOf(ctx context.Context, text string) (id string, err error) {
	text = ipaddr.Unbracket(text)
	addr, ok := ipaddr.Parse(text)
	if !ok {
		return "", fault.Unknown(text, nil)
	}
	ip, err := s.Pool.Read().Get(ctx, text)
	if err == nil {
		return ip.ID, nil
	}
	if !fault.Is(err, fault.BadIdentifier) {
		return "", err
	}
	for _, spelling := range []string{addr.String(), text} {
		if _, ok, err := s.History.At(ctx, spelling, math.MaxInt32<<16); err != nil || ok {
			return spelling, err
		}
	}
	return "", fault.Unknown(text, nil)
}

// historyPage returns a page of events, as the token may see them.
func (s *Server) historyPage(r *crossbar.Request, f history.Filter) (crossbar.Reply, error) {
	page, err := s.History.List(r.Context(), f)
	if err != nil {
		return crossbar.Reply{}, err
	}
	events := make([]history.Event, len(page.Events))
	for i, e := range page.Events {
		events[i] = seenBy(r, e)
	}
	return crossbar.Reply{Data: events, PageSize: new(len(events)), Next: page.Next}, nil
}

// seenBy returns an event without what the token may not know: who else made a change, and which other account had the
// address. Superduper accounts see everything.
func seenBy(r *crossbar.Request, e history.Event) history.Event {
	if r.Identity.Superduper {
		return e
	}
	own := func(account string) bool { return account == r.Account.ID || account == r.Identity.AccountID }
	if !own(e.AccountID) {
		e.Actor = history.Actor{RequestID: e.RequestID, Source: e.Source}
	}
	if !own(e.From) {
		e.From = ""
	}
	if !own(e.To) {
		e.To = ""
	}
	return e
}

// bytesPerEvent is about what an event takes, its document included, until the response is encoded.
const bytesPerEvent = 2 << 10

// historyFilter returns what the query asks for, and makes sure that there is room for it.
func historyFilter(r *crossbar.Request) (f history.Filter, err error) {
	if f.PageSize, err = pageSize(r); err != nil {
		return f, err
	}
	if f.From, _, err = seconds(r, "created_from"); err != nil {
		return f, err
	}
	to, given, err := seconds(r, "created_to")
	if err != nil {
		return f, err
	}
	if given {
		f.To = max(to, 1) // 0 would be no limit
	}
	if given && f.To < f.From {
		return f, fault.Finding("created_to", "minimum", "Value must be at least created_from",
			map[string]any{"target": f.From, "value": to})
	}
	f.StartKey = startKey(r)
	return f, r.HoldResponse(f.PageSize * bytesPerEvent)
}

// seconds returns a parameter in Gregorian seconds. ok says whether it is given.
func seconds(r *crossbar.Request, name string) (value int64, ok bool, err error) {
	text := given(r.Query.Get(name))
	if text == "" {
		return 0, false, nil
	}
	value, err = strconv.ParseInt(text, 10, 64)
	const most = math.MaxInt32 << 16 // exact in JavaScript, and long after Kazoo's calendar
	if err != nil || value < 0 || value > most {
		return 0, false, fault.Finding(name, "type", "Value did not match type(s): integer (Gregorian seconds)",
			map[string]any{"target": "integer", "value": text})
	}
	return value, true, nil
}
