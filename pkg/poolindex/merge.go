package poolindex

import (
	"container/heap"
	"sort"

	"github.com/tidwall/btree"

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

// merge goes through several sources at once, by address. It is a heap of those that have entries left: a search by the
// beginning of accounts' names has thousands.
type merge []*cursor

// cursor is a position in a source.
type cursor struct {
	source
	iterator btree.IterG[*Entry]
	entry    *Entry
}

// newMerge returns the entries of sources that are behind a position.
func newMerge(sources []source, from Position) merge {
	after := position(from.Addr, from.ID)
	m := make(merge, 0, len(sources))
	for _, s := range sources {
		c := &cursor{source: s, iterator: s.entries.Iter()}
		start := after
		if s.within != nil && s.within.First.Compare(after.addr) > 0 {
			start = &Entry{addr: s.within.First}
		}
		if c.take(c.iterator.Seek(start)) && (compareAddresses(c.entry, after) != 0 || c.take(c.iterator.Next())) {
			m = append(m, c)
		}
	}
	heap.Init(&m)
	return m
}

// take makes the entry at the iterator the current one, if there is one and it is in the source.
func (c *cursor) take(ok bool) bool {
	if !ok {
		return false
	}
	c.entry = c.iterator.Item()
	return c.within == nil || c.entry.addr.Compare(c.within.Last) <= 0
}

// next returns the next entry, which may be in several sources, nil after the last.
func (m *merge) next() *Entry {
	if len(*m) == 0 {
		return nil
	}
	e := (*m)[0].entry
	for len(*m) > 0 && (*m)[0].entry == e {
		if first := (*m)[0]; first.take(first.iterator.Next()) {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	return e
}

// Len is of heap.Interface.
func (m merge) Len() int { return len(m) }

// Less is of heap.Interface.
func (m merge) Less(i, j int) bool { return compareAddresses(m[i].entry, m[j].entry) < 0 }

// Swap is of heap.Interface.
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }

// Push is of heap.Interface.
func (m *merge) Push(x any) { *m = append(*m, x.(*cursor)) } //nolint:forcetypeassert // nothing else is pushed

// Pop is of heap.Interface.
func (m *merge) Pop() any {
	last := len(*m) - 1
	c := (*m)[last]
	*m = (*m)[:last]
	return c
}
