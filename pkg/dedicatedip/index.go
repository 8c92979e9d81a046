package dedicatedip

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unique"

	"github.com/tidwall/btree"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
)

// index has the pool in memory, in the orders of the views. Beside the views in couchdb-views it is the one place that
// says which document is in which listing; a test compares the two.
//
// Invariants: an entry does not change; a document that changes gets a new one. Names of zones and hosts are compared
// exactly, though CouchDB's collation, by which they are ordered, holds some different names equal.
type index struct {
	mu        sync.RWMutex
	byID      map[string]*entry
	spellings map[netip.Addr][]*entry          // addresses whose id is not canonical, by id
	assigned  *btree.BTreeG[*entry]            // by address
	accounts  map[string]*btree.BTreeG[*entry] // what each account holds, by address
	zones     *nameIndex
	hosts     *nameIndex
	counts    map[[2]string]int // by zone and status
	irregular map[string]bool   // documents that the views list in ways the index can't
}

// entry is a document of the pool.
type entry struct {
	id, rev string
	addr    netip.Addr // invalid if the id is no address
	odd     bool       // the id is an address, but not in its canonical form
	zone    unique.Handle[string]
	host    unique.Handle[string]
	status  unique.Handle[string]
	holder  unique.Handle[string]
}

func newIndex() *index {
	return &index{
		byID: map[string]*entry{}, spellings: map[netip.Addr][]*entry{}, assigned: newTree(compareAddresses),
		accounts: map[string]*btree.BTreeG[*entry]{}, zones: newNameIndex(), hosts: newNameIndex(), counts: map[[2]string]int{},
		irregular: map[string]bool{},
	}
}

// newTree returns a tree without locks of its own.
func newTree[T any](compare func(a, b T) int) *btree.BTreeG[T] {
	return btree.NewBTreeGOptions(func(a, b T) bool { return compare(a, b) < 0 }, btree.Options{NoLocks: true})
}

func compareIDs(a, b *entry) int { return strings.Compare(a.id, b.id) }

// compareAddresses orders addresses as numbers, IPv4 first, and equal ones by id.
func compareAddresses(a, b *entry) int {
	if order := a.addr.Compare(b.addr); order != 0 {
		return order
	}
	return compareIDs(a, b)
}

// Apply makes the index hold a document as it is stored now, or with "_deleted" drop it.
func (x *index) Apply(doc document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	id := doc.ID()
	if strings.HasPrefix(id, "_") {
		return
	}
	delete(x.irregular, id)
	if old := x.byID[id]; old != nil {
		x.remove(old)
	}
	if doc.Bool("_deleted") || doc[fieldType] != documentType || doc[fieldDeleted] == true {
		return
	}
	if !regular(doc) {
		x.irregular[id] = true
		return
	}
	x.add(newEntry(doc))
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

func newEntry(doc document.Document) *entry {
	text := doc.ID() + doc.Rev() // one allocation for both, since there is one for each document
	e := &entry{
		id: text[:len(doc.ID())], rev: text[len(doc.ID()):],
		zone: unique.Make(doc.String(fieldZone)), host: unique.Make(doc.String(fieldHost)),
		status: unique.Make(doc.String(fieldStatus)), holder: unique.Make(doc.String(fieldAssignedTo)),
	}
	if addr, ok := ipaddr.Parse(e.id); ok {
		e.addr, e.odd = addr, addr.String() != e.id
	}
	return e
}

func (x *index) add(e *entry) {
	x.byID[e.id] = e
	zone := x.zones.add(e.zone.Value())
	x.hosts.add(e.host.Value())
	x.counts[[2]string{e.zone.Value(), e.status.Value()}]++
	if !e.addr.IsValid() {
		return
	}
	if e.odd {
		spelled := append(x.spellings[e.addr], e)
		slices.SortFunc(spelled, compareIDs)
		x.spellings[e.addr] = spelled
	}
	switch e.status.Value() {
	case available:
		zone.available.Set(e)
	case assigned:
		x.assigned.Set(e)
		held := x.accounts[e.holder.Value()]
		if held == nil {
			held = newTree(compareAddresses)
			x.accounts[e.holder.Value()] = held
		}
		held.Set(e)
	}
}

func (x *index) remove(e *entry) {
	delete(x.byID, e.id)
	if e.addr.IsValid() {
		x.removeAddress(e)
	}
	x.zones.remove(e.zone.Value())
	x.hosts.remove(e.host.Value())
	key := [2]string{e.zone.Value(), e.status.Value()}
	if x.counts[key]--; x.counts[key] == 0 {
		delete(x.counts, key)
	}
}

func (x *index) removeAddress(e *entry) {
	if e.odd {
		left := slices.DeleteFunc(x.spellings[e.addr], func(other *entry) bool { return other == e })
		if x.spellings[e.addr] = left; len(left) == 0 {
			delete(x.spellings, e.addr)
		}
	}
	switch e.status.Value() {
	case available:
		x.zones.byText[e.zone.Value()].available.Delete(e)
	case assigned:
		x.assigned.Delete(e)
		held := x.accounts[e.holder.Value()]
		if held.Delete(e); held.Len() == 0 {
			delete(x.accounts, e.holder.Value())
		}
	}
}

// find returns the entry of an address in any spelling, nil if there is none: the one stored under that id, else under
// the canonical one, else the first of the other spellings.
func (x *index) find(text string) *entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[text]; e != nil && e.addr.IsValid() {
		return e
	}
	addr, ok := ipaddr.Parse(text)
	if !ok {
		return nil
	}
	if e := x.byID[addr.String()]; e != nil {
		return e
	}
	if spelled := x.spellings[addr]; len(spelled) > 0 {
		return spelled[0]
	}
	return nil
}

// anyIrregular returns the id of an irregular document, empty if there is none.
func (x *index) anyIrregular() string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for id := range x.irregular {
		return id
	}
	return ""
}

// length returns how many entries there are.
func (x *index) length() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// Revision returns the revision of a document, empty if there is none.
func (x *index) Revision(id string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[id]; e != nil {
		return e.rev
	}
	return ""
}

// IDs returns the ids of all documents.
func (x *index) IDs() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.AppendSeq(slices.Collect(maps.Keys(x.byID)), maps.Keys(x.irregular))
}

// holder returns the account that holds an address, empty if there is none.
func (x *index) holder(id string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[id]; e != nil && e.status.Value() != available {
		return e.holder.Value()
	}
	return ""
}
