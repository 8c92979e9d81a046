package poolindex

import (
	"sort"

	"junctor/pkg/ipaddr"
)

// source is the entries of a tree by address, of which a block may be all that is meant.
type source struct {
	entries tree
	within  *ipaddr.Block // nil is all
}

// sourceOf returns a tree as a list of sources, which is empty if there is no such tree.
func sourceOf(t tree) []source {
	if t == nil {
		return nil
	}
	return []source{{entries: t}}
}

// clip is within for a block that may be nil, which is all addresses.
func clip(sources []source, b *ipaddr.Block) []source {
	if b == nil {
		return sources
	}
	return within(sources, *b)
}

// within returns the parts of sources that are in a block.
func within(sources []source, b ipaddr.Block) (parts []source) {
	for _, s := range sources {
		part := b
		if s.within != nil {
			part = b.Intersect(*s.within)
		}
		if part.First.Compare(part.Last) <= 0 {
			parts = append(parts, source{s.entries, &part})
		}
	}
	return parts
}

// sizeOf returns how many entries sources have.
func sizeOf(sources []source) (size int) {
	for _, s := range sources {
		size += s.size()
	}
	return size
}

func (s source) size() int {
	if s.within == nil {
		return s.entries.Len()
	}
	before := s.count(func(e *Entry) bool { return e.addr.Compare(s.within.First) < 0 })
	return s.count(func(e *Entry) bool { return e.addr.Compare(s.within.Last) <= 0 }) - before
}

// count returns how many of the first entries something holds for, which does not for those behind them.
func (s source) count(holds func(*Entry) bool) int {
	return sort.Search(s.entries.Len(), func(i int) bool {
		e, _ := s.entries.GetAt(i)
		return !holds(e)
	})
}
