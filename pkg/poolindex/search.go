package poolindex

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"strings"

	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
)

// A search picks the filter that matches the fewest entries, visits those by address, and checks the other filters on
// each. So a page costs at most the matches of that filter, and no more than its own rows if there is no other filter.

// Search selects addresses. The zero value selects all of them.
type Search struct {
	Zone, Host, Status, Holder string        // exactly; empty means any
	Within                     *ipaddr.Block // nil means any
	Begins                     *Begins       // nil means any
	Cooling                    *bool         // whether it was given back after Since; nil means any
	Since                      int64         // Gregorian seconds
}

// Begins finds an address by the beginning of a text that belongs to it. One of the fields has to match.
type Begins struct {
	Addresses []ipaddr.Block  // as ipaddr.Beginning returns them
	Host      string          // in lower case; empty matches none
	Holders   map[string]bool // the accounts whose names begin so
}

// Matches reports whether a search finds an entry.
func (s Search) Matches(e *Entry) bool {
	return (s.Zone == "" || s.Zone == e.Zone()) && (s.Host == "" || s.Host == e.Host()) &&
		(s.Status == "" || s.Status == e.Status()) && (s.Holder == "" || s.Holder == e.heldBy()) &&
		(s.Within == nil || s.Within.Contains(e.addr)) && (s.Begins == nil || s.Begins.matches(e)) &&
		(s.Cooling == nil || *s.Cooling == (e.released > s.Since)) && e.addr.IsValid()
}

// heldBy returns the Holder of an assigned address. The document of an available one may still name an account.
func (e *Entry) heldBy() string {
	if e.Status() == kazoo.Assigned {
		return e.Holder()
	}
	return ""
}

func (b *Begins) matches(e *Entry) bool {
	return slices.ContainsFunc(b.Addresses, func(r ipaddr.Block) bool { return r.Contains(e.addr) }) ||
		b.matchesHost(e.Host()) || b.Holders[e.heldBy()]
}

func (b *Begins) matchesHost(host string) bool {
	return b.Host != "" && strings.HasPrefix(strings.ToLower(host), b.Host)
}

// Position is where a page ended: behind the address that is stored under ID. The zero Position is before all others.
type Position struct {
	Addr netip.Addr
	ID   string
}

// Found is a page of a search.
type Found struct {
	Entries []*Entry // by address
	More    bool     // whether there are others behind them
	Visited int      // how many entries were read
}

// Search returns up to want addresses after a position, as they were when it began.
func (x *Index) Search(ctx context.Context, s Search, from Position, want int) (Found, error) {
	p := page{Search: s, after: position(from.Addr, from.ID), most: want + 1}
	for _, source := range x.snapshot(s) {
		if err := p.visit(ctx, source); err != nil {
			return Found{}, err
		}
	}
	p.merge()
	more := len(p.entries) > want
	return Found{Entries: p.entries[:min(want, len(p.entries))], More: more, Visited: p.visited}, nil
}

// snapshot returns copies of the sources of a search. Without them an address that moves from one source to another
// while they are visited would be in neither. A copy shares its nodes with the tree until that changes; making one changes
// the tree, hence the lock.
func (x *Index) snapshot(s Search) []source {
	x.mu.Lock()
	defer x.mu.Unlock()
	sources := x.sources(s)
	for i := range sources {
		sources[i].entries = sources[i].entries.Copy()
	}
	return sources
}

// page collects the first entries that a search finds, source by source. A source is visited no further than to the
// last entry of a page that is full: the more sources were visited, the fewer entries of the next one are.
type page struct {
	Search
	after   *Entry // where the page before ended
	most    int    // entries
	entries []*Entry
	added   []*Entry // since the last merge
	visited int
}

// visitedAtOnce is how many entries are visited before the search notices that it was cancelled.
const visitedAtOnce = 5000

// visit adds to a page what a search finds in a source.
func (p *page) visit(ctx context.Context, s source) (err error) {
	start := p.after
	if s.within != nil && s.within.First.Compare(start.addr) > 0 {
		start = &Entry{addr: s.within.First}
	}
	room := len(p.added) + p.most
	visited := 0
	s.entries.Ascend(start, func(e *Entry) bool {
		if len(p.added) == room || len(p.entries) == p.most && compareAddresses(e, p.entries[p.most-1]) >= 0 ||
			s.within != nil && e.addr.Compare(s.within.Last) > 0 {
			return false // it is not on the page, nor are those behind it
		}
		if visited%visitedAtOnce == 0 {
			err = ctx.Err()
		}
		visited++
		if compareAddresses(e, p.after) > 0 && p.Matches(e) {
			p.added = append(p.added, e)
		}
		return err == nil
	})
	p.visited += visited
	if len(p.added) > p.most/8 { // not after every source: there may be thousands
		p.merge()
	}
	return err
}

// merge makes what was added part of the page. An entry may be in several sources.
func (p *page) merge() {
	all := append(p.entries, p.added...)
	slices.SortFunc(all, compareAddresses)
	all = slices.CompactFunc(all, func(a, b *Entry) bool { return a == b })
	p.entries, p.added = all[:min(p.most, len(all))], nil
}

// sources returns what has all entries that a search finds: what one of its filters admits, the one that admits the
// fewest.
func (x *Index) sources(s Search) []source {
	var filters [][]source
	if s.Zone != "" {
		filters = append(filters, x.zones.sources(s.Zone))
	}
	if s.Host != "" {
		filters = append(filters, x.hosts.sources(s.Host))
	}
	if s.Status != "" {
		filters = append(filters, sourceOf(x.statuses[s.Status]))
	}
	if s.Holder != "" {
		filters = append(filters, sourceOf(x.accounts[s.Holder]))
	}
	if s.Begins != nil {
		filters = append(filters, x.beginning(*s.Begins))
	}
	cooling := s.Cooling != nil && *s.Cooling
	if len(filters) == 0 && (!cooling || s.Within != nil) {
		filters = append(filters, x.everything())
	}
	for i, sources := range filters {
		filters[i] = clip(sources, s.Within)
	}
	if len(filters) == 1 && !cooling {
		return filters[0]
	}
	var least []source
	size := math.MaxInt
	for _, sources := range filters {
		if n := sizeOf(sources); n < size {
			least, size = sources, n
		}
	}
	if cooling && x.countReleased(s.Since) < size {
		return clip(x.cooling(s.Since), s.Within)
	}
	return least
}

// countReleased returns how many available addresses were given back after a time.
func (x *Index) countReleased(since int64) int {
	return x.released.Len() - source{entries: x.released}.count(func(e *Entry) bool { return e.released <= since })
}

// cooling returns a source of the addresses that were given back after a time. It takes as long as to visit them.
func (x *Index) cooling(since int64) []source {
	byAddress := newTree(compareAddresses)
	x.scanReleased(since, func(e *Entry) { byAddress.Set(e) })
	return sourceOf(byAddress)
}

// everything returns the sources of all addresses.
func (x *Index) everything() (sources []source) {
	for _, t := range x.statuses {
		sources = append(sources, source{entries: t})
	}
	return sources
}

// beginning returns the sources of Begins. They have an entry several times if several of its texts begin so.
func (x *Index) beginning(b Begins) (sources []source) {
	for _, r := range b.Addresses {
		sources = append(sources, within(x.everything(), r)...)
	}
	for text, host := range x.hosts.byText {
		if b.matchesHost(text) {
			sources = append(sources, source{entries: host.addresses})
		}
	}
	for holder := range b.Holders {
		sources = append(sources, sourceOf(x.accounts[holder])...)
	}
	return sources
}

func (n *nameIndex) sources(text string) []source {
	if known := n.byText[text]; known != nil {
		return sourceOf(known.addresses)
	}
	return nil
}
