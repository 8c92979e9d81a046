package dedicatedip

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"junctor/pkg/document"
)

// table is the pool in memory, in the orders of the views. Beside the views of couchdb-views it is the one place
// that says which document is in which listing, and a test holds the two against each other.
//
// Entries are never altered, only replaced, and trees are copied on write: a listing may be read after the lock is
// gone.
type table struct {
	mu        sync.RWMutex
	addresses map[netip.Addr]*entry // the first of those that are spelled differently
	others    map[string]*entry     // by id; in the pool, but no addresses
	assigned  *entries
	holders   map[string]*holding // what is assigned, by account
	zones     *names
	hosts     *names
	counts    map[[2]string]int // by zone and status
	odd       map[string]bool   // documents that the views list in ways this table can't
	ahead     map[string]mark   // what this process wrote and the feed has not told yet, by id
	version   uint64            // counts changes
}

// entry is what is known of one document of the pool.
type entry struct {
	id, rev    string
	addr       netip.Addr // the zero address for what is none
	zone, host *name
	status     string
	holder     string
	twin       *entry // the next spelling of the same address, by id
}

// holding is what is assigned to one account.
type holding struct {
	entries *entries
	version uint64 // of the table when this last changed
}

// entries are in the order of their addresses, or of their ids.
type entries = btree.BTreeG[*entry]

func newTable() *table {
	return &table{
		addresses: map[netip.Addr]*entry{},
		others:    map[string]*entry{},
		assigned:  byAddress(),
		holders:   map[string]*holding{},
		zones:     newNames(),
		hosts:     newNames(),
		counts:    map[[2]string]int{},
		odd:       map[string]bool{},
		ahead:     map[string]mark{},
	}
}

var noLocks = btree.Options{NoLocks: true} // the table has one

func byAddress() *entries {
	return btree.NewBTreeGOptions(func(a, b *entry) bool {
		if order := a.addr.Compare(b.addr); order != 0 {
			return order < 0
		}
		return a.id < b.id
	}, noLocks)
}

func byID() *entries {
	return btree.NewBTreeGOptions(func(a, b *entry) bool { return a.id < b.id }, noLocks)
}

// replace puts a document in the place of what was known under its id.
func (t *table) replace(doc document.Document) {
	id := doc.ID()
	if strings.HasPrefix(id, "_") {
		return
	}
	t.version++
	delete(t.odd, id)
	if old := t.entry(id); old != nil {
		t.remove(old)
	}
	if doc.Bool("_deleted") || doc[fieldType] != documentType || doc[fieldDeleted] == true {
		return
	}
	if !regular(doc) {
		t.odd[id] = true
		return
	}
	t.add(t.entryOf(doc))
}

// regular reports whether a document has the fields that Kazoo and we write, as texts.
func regular(doc document.Document) bool {
	for _, field := range []string{fieldZone, fieldHost, fieldStatus} {
		if _, ok := doc[field].(string); !ok {
			return false
		}
	}
	_, text := doc[fieldAssignedTo].(string)
	_, given := doc[fieldAssignedTo]
	return (text || !given) && (doc[fieldDeleted] == nil || doc[fieldDeleted] == false)
}

func (t *table) entryOf(doc document.Document) *entry {
	e := &entry{
		id: doc.ID(), rev: doc.Rev(), status: doc.String(fieldStatus), holder: doc.String(fieldAssignedTo),
		zone: t.zones.name(doc.String(fieldZone)), host: t.hosts.name(doc.String(fieldHost)),
	}
	e.addr, _ = parse(e.id)
	switch e.status { // texts that many entries have in common are kept once
	case available:
		e.status = available
	case assigned:
		e.status = assigned
	}
	if held := t.holders[e.holder]; held != nil {
		first, _ := held.entries.Min()
		e.holder = first.holder
	}
	return e
}

// entry finds what is known under an id.
func (t *table) entry(id string) *entry {
	addr, ok := parse(id)
	if !ok {
		return t.others[id]
	}
	for e := t.addresses[addr]; e != nil; e = e.twin {
		if e.id == id {
			return e
		}
	}
	return nil
}

// find answers what an address in any spelling means: what is stored in that spelling, in the canonical one, or in
// any other, of which the first by id counts.
func (t *table) find(text string) *entry {
	addr, ok := parse(text)
	if !ok {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, id := range []string{text, addr.String()} {
		if e := t.entry(id); e != nil {
			return e
		}
	}
	return t.addresses[addr]
}

func (t *table) add(e *entry) {
	e.zone.entries++
	e.host.entries++
	t.counts[[2]string{e.zone.text, e.status}]++
	if !e.addr.IsValid() {
		t.others[e.id] = e
		return
	}
	t.link(e)
	switch e.status {
	case available:
		e.zone.free.Set(e)
	case assigned:
		t.assigned.Set(e)
		held := t.holders[e.holder]
		if held == nil {
			held = &holding{entries: byAddress()}
			t.holders[e.holder] = held
		}
		held.entries.Set(e)
		held.version = t.version
	}
}

func (t *table) remove(e *entry) {
	t.zones.drop(e.zone)
	t.hosts.drop(e.host)
	key := [2]string{e.zone.text, e.status}
	if t.counts[key]--; t.counts[key] == 0 {
		delete(t.counts, key)
	}
	if !e.addr.IsValid() {
		delete(t.others, e.id)
		return
	}
	t.unlink(e)
	switch e.status {
	case available:
		e.zone.free.Delete(e)
	case assigned:
		t.assigned.Delete(e)
		held := t.holders[e.holder]
		held.version = t.version
		if held.entries.Delete(e); held.entries.Len() == 0 {
			delete(t.holders, e.holder)
		}
	}
}

// link puts an entry among the spellings of its address, in the order of their ids.
func (t *table) link(e *entry) {
	first := t.addresses[e.addr]
	if first == nil || e.id < first.id {
		e.twin = first
		t.addresses[e.addr] = e
		return
	}
	at := first
	for at.twin != nil && at.twin.id < e.id {
		at = at.twin
	}
	e.twin, at.twin = at.twin, e
}

func (t *table) unlink(e *entry) {
	first := t.addresses[e.addr]
	switch {
	case first != e:
		at := first
		for at.twin != e {
			at = at.twin
		}
		at.twin = e.twin
	case e.twin == nil:
		delete(t.addresses, e.addr)
	default:
		t.addresses[e.addr] = e.twin
	}
}

// anyOdd answers the id of a document that keeps the table from being right, empty where there is none.
func (t *table) anyOdd() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for id := range t.odd {
		return id
	}
	return ""
}

// length answers how many entries there are.
func (t *table) length() (n int) {
	for _, count := range t.sizes() {
		n += count
	}
	return n
}

// revision answers the revision of a document, empty where there is none.
func (t *table) revision(id string) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e := t.entry(id); e != nil {
		return e.rev
	}
	return ""
}

// holderAt answers who holds an address at a revision; ok is false where the table has another.
func (t *table) holderAt(id, rev string) (holder string, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.entry(id)
	if e == nil || e.rev != rev {
		return "", false
	}
	if e.status != available {
		holder = e.holder
	}
	return holder, true
}
