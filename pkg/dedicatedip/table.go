package dedicatedip

import (
	"cmp"
	"net/netip"
	"strings"
	"sync"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
)

// table is the pool in memory, in the orders of the views. Beside the views of couchdb-views it is the one place
// that says which document is in which listing, and a test holds the two against each other.
type table struct {
	mu        sync.RWMutex
	rows      rows
	addresses map[[16]byte]ref // the first of those that are spelled differently
	others    map[string]ref   // by id; in the pool, but no addresses
	assigned  order            // by address
	holders   map[string]*holding
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
	zone, host string
	status     string
	holder     string
}

// holding is what is assigned to one account.
type holding struct {
	order          // by address
	version uint64 // of the table when this last changed
}

func newTable() *table {
	t := &table{
		rows:      newRows(),
		addresses: map[[16]byte]ref{},
		others:    map[string]ref{},
		holders:   map[string]*holding{},
		counts:    map[[2]string]int{},
		odd:       map[string]bool{},
		ahead:     map[string]mark{},
	}
	t.assigned = newOrder(t.rows.compareAddresses)
	t.zones, t.hosts = newNames(t.rows.compareIDs), newNames(t.rows.compareIDs)
	return t
}

// replace puts a document in the place of what was known under its id.
func (t *table) replace(doc document.Document) {
	id := doc.ID()
	if strings.HasPrefix(id, "_") {
		return
	}
	t.version++
	delete(t.odd, id)
	if old := t.lookUp(id); old != none {
		t.remove(old)
	}
	if doc.Bool("_deleted") || doc[fieldType] != documentType || doc[fieldDeleted] == true {
		return
	}
	if !regular(doc) {
		t.odd[id] = true
		return
	}
	t.add(entryOf(doc))
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

func entryOf(doc document.Document) entry {
	e := entry{
		id: doc.ID(), rev: doc.Rev(), status: doc.String(fieldStatus), holder: doc.String(fieldAssignedTo),
		zone: doc.String(fieldZone), host: doc.String(fieldHost),
	}
	e.addr, _ = ipaddr.Parse(e.id)
	return e
}

// lookUp finds what is known under an id.
func (t *table) lookUp(id string) ref {
	addr, ok := ipaddr.Parse(id)
	if !ok {
		return t.others[id]
	}
	return t.spelled(t.addresses[addr.As16()], id)
}

// spelled finds a spelling of an address, of which the first is given.
func (t *table) spelled(at ref, id string) ref {
	for at != none && !t.rows.hasID(at, id) {
		at = t.rows.at(at).twin
	}
	return at
}

// find answers what an address in any spelling means: what is stored in that spelling, in the canonical one, or in
// any other, of which the first by id counts.
func (t *table) find(text string) (e entry, ok bool) {
	addr, ok := ipaddr.Parse(text)
	if !ok {
		return entry{}, false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	at := t.addresses[addr.As16()]
	if at == none {
		return entry{}, false
	}
	if t.rows.at(at).twin != none {
		at = cmp.Or(t.spelled(at, text), t.spelled(at, addr.String()), at)
	}
	return t.rows.entry(at), true
}

func (t *table) add(e entry) {
	zone := t.zones.take(e.zone)
	t.hosts.take(e.host)
	t.counts[[2]string{e.zone, e.status}]++
	at := t.rows.put(e)
	if !e.addr.IsValid() {
		t.others[e.id] = at
		return
	}
	t.link(at)
	switch e.status {
	case available:
		zone.free.Set(at)
	case assigned:
		t.assigned.Set(at)
		held := t.holders[e.holder]
		if held == nil {
			held = &holding{order: newOrder(t.rows.compareAddresses)}
			t.holders[e.holder] = held
		}
		held.Set(at)
		held.version = t.version
	}
}

func (t *table) remove(at ref) {
	e := t.rows.entry(at)
	if e.addr.IsValid() {
		t.removeAddress(at, e)
	} else {
		delete(t.others, e.id)
	}
	t.zones.drop(e.zone)
	t.hosts.drop(e.host)
	key := [2]string{e.zone, e.status}
	if t.counts[key]--; t.counts[key] == 0 {
		delete(t.counts, key)
	}
	t.rows.drop(at)
}

func (t *table) removeAddress(at ref, e entry) {
	t.unlink(at)
	switch e.status {
	case available:
		t.zones.byText[e.zone].free.Delete(at)
	case assigned:
		t.assigned.Delete(at)
		held := t.holders[e.holder]
		held.version = t.version
		if held.Delete(at); held.Len() == 0 {
			delete(t.holders, e.holder)
		}
	}
}

// link puts a row among the spellings of its address, in the order of their ids.
func (t *table) link(at ref) {
	row := t.rows.at(at)
	next := t.addresses[row.addr]
	if next == none || t.rows.compareIDs(at, next) < 0 {
		row.twin, t.addresses[row.addr] = next, at
		return
	}
	last := t.rows.at(next)
	for last.twin != none && t.rows.compareIDs(last.twin, at) < 0 {
		last = t.rows.at(last.twin)
	}
	row.twin, last.twin = last.twin, at
}

func (t *table) unlink(at ref) {
	row := t.rows.at(at)
	first := t.addresses[row.addr]
	switch {
	case first != at:
		last := t.rows.at(first)
		for last.twin != at {
			last = t.rows.at(last.twin)
		}
		last.twin = row.twin
	case row.twin == none:
		delete(t.addresses, row.addr)
	default:
		t.addresses[row.addr] = row.twin
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
	if at := t.lookUp(id); at != none {
		return t.rows.rev(at)
	}
	return ""
}

// holderAt answers who holds an address at a revision; ok is false where the table has another.
func (t *table) holderAt(id, rev string) (holder string, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	at := t.lookUp(id)
	if at == none || !t.rows.hasRev(at, rev) {
		return "", false
	}
	if row := t.rows.at(at); t.rows.words.text(row.status) != available {
		holder = t.rows.words.text(row.holder)
	}
	return holder, true
}
