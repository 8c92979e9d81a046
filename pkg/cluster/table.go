package cluster

import (
	"net/netip"
	"sync"

	"junctor/pkg/document"
)

// table is the registry in memory. Clusters have numbers, so that what there is for each address needs no pointer: the
// garbage collector has no more to follow than one text for each cluster.
type table struct {
	mu      sync.RWMutex
	numbers map[string]uint32 // by cluster id, of the deleted ones too, for their revisions
	members []member          // by number
	vacant  []uint32          // numbers that are nobody's
	holders [2]holders        // by direction
	clock   uint64            // counts what was told
	loaded  bool
}

func newTable() table {
	return table{numbers: map[string]uint32{}, holders: [2]holders{newHolders(), newHolders()}}
}

// apply takes in a document, unless a later revision of it is known: what this process wrote itself is known
// before the feed tells of it.
func (t *table) apply(doc document.Document) {
	m := memberOf(doc)
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.member(doc.ID()); known == nil || known.compare(m) < 0 {
		t.replace(doc.ID(), m)
	}
}

// now answers a time for restore and forget. A reading of the store takes the time, restores each document that it
// finds, and forgets the others. One that breaks off in between has done no harm: nothing is forgotten, and what was
// restored is what the store has.
func (t *table) now() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.clock
}

// restore takes in a document that was read after since. What was applied meanwhile stays, unless the store has
// something later; what is older may be of another database.
func (t *table) restore(since uint64, doc document.Document) {
	m := memberOf(doc)
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.member(doc.ID()); known != nil {
		order := known.compare(m)
		if order == 0 || order > 0 && known.told > since {
			t.clock++
			known.told = t.clock
			return
		}
	}
	t.replace(doc.ID(), m)
}

// forget ends a reading that began at since: what nobody has told of from then on, the store does not have.
func (t *table) forget(since uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, number := range t.numbers {
		if t.members[number].told <= since {
			t.remove(id)
		}
	}
	t.loaded = true
}

// member answers what is known of a cluster, until that is replaced; nil is nothing.
func (t *table) member(id string) *member {
	number, ok := t.numbers[id]
	if !ok {
		return nil
	}
	return &t.members[number]
}

// replace puts a member in the place of what was known of its cluster.
func (t *table) replace(id string, m *member) {
	t.remove(id)
	t.clock++
	m.told = t.clock
	number := t.number()
	t.members[number] = *m
	t.numbers[m.id()] = number // by the text that m has anyway
	m.profile().each(func(direction int, zone uint32, addr netip.Addr) {
		t.holders[direction].add(addr, ref{number, zone})
	})
}

// number answers a number that is nobody's.
func (t *table) number() uint32 {
	if last := len(t.vacant) - 1; last >= 0 {
		number := t.vacant[last]
		t.vacant = t.vacant[:last]
		return number
	}
	t.members = append(t.members, member{})
	return uint32(len(t.members) - 1)
}

// remove makes a cluster unknown.
func (t *table) remove(id string) {
	number, ok := t.numbers[id]
	if !ok {
		return
	}
	t.members[number].profile().each(func(direction int, _ uint32, addr netip.Addr) {
		t.holders[direction].drop(addr, number)
	})
	delete(t.numbers, id)
	t.members[number] = member{}
	t.vacant = append(t.vacant, number)
}
