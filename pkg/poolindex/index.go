// Package poolindex holds the documents of the pool of dedicated IPs in memory: by id and by address, and in the orders
// of the pool's listings.
//
// It knows what a document of the pool is made of. It knows no store and none of the pool's rules: a mirror applies
// documents to it, and package dedicatedip reads it.
package poolindex

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unique"

	"github.com/tidwall/btree"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
)

// Index holds the pool in the orders of the views. It decides, as the views in couchdb-views do, which
// document is in which listing; a test of dedicatedip compares the two. It is safe for concurrent use.
//
// Invariants: an entry does not change; a document that changes gets a new one. Names of zones and hosts are compared
// exactly, though CouchDB's collation, by which they are ordered, holds some different names equal.
type Index struct {
	mu        sync.RWMutex
	byID      map[string]*Entry
	spellings map[netip.Addr][]*Entry // addresses whose id is not canonical, by id
	statuses  map[string]tree         // the addresses of each status, by address
	accounts  map[string]tree         // what each account holds, by address
	zones     *nameIndex
	hosts     *nameIndex
	released  tree // available addresses that an account gave back, by the time of that
	counts    map[Group]int
}

// tree has entries in an order.
type tree = *btree.BTreeG[*Entry]

// Group is what is counted together.
type Group struct {
	Zone, Host, Status string
	Address            bool // whether the ids are addresses
}

// Entry is a document of the pool. There may be millions of entries: an entry is small and has few pointers, since the
// garbage collector follows each of them.
type Entry struct {
	text     string     // the id, and then the revision
	addr     netip.Addr // invalid if the id is no address
	labels   unique.Handle[labels]
	released int64 // when an account gave it back, in Gregorian seconds; 0 if none did, or if it is not available
	idLength uint32
	odd      bool // the id is an address, but not in its canonical form
	noted    bool // the document has notes, which are not in memory
}

// labels are what many entries have in common.
type labels struct {
	Group
	holder string
}

// ID returns the address in the spelling it is stored under.
func (e *Entry) ID() string { return e.text[:e.idLength] }

// Address returns the address. It is invalid if the id is not an address.
func (e *Entry) Address() netip.Addr { return e.addr }

// HasNotes reports whether the document has notes of the operator.
func (e *Entry) HasNotes() bool { return e.noted }

// Revision returns the revision of the document.
func (e *Entry) Revision() string { return e.text[e.idLength:] }

// Zone returns the zone of the address.
func (e *Entry) Zone() string { return e.labels.Value().Zone }

// Host returns the host of the address.
func (e *Entry) Host() string { return e.labels.Value().Host }

// Status returns the status of the address, kazoo.Available or kazoo.Assigned unless somebody else wrote another.
func (e *Entry) Status() string { return e.labels.Value().Status }

// Holder returns the account that holds the address, empty if there is none.
func (e *Entry) Holder() string { return e.labels.Value().holder }

// Released returns when an account gave back the address, in Gregorian seconds: 0 if none did, or if it is not available.
func (e *Entry) Released() int64 { return e.released }

// New returns an empty index.
func New() *Index {
	return &Index{
		byID: map[string]*Entry{}, spellings: map[netip.Addr][]*Entry{}, statuses: map[string]tree{},
		accounts: map[string]tree{}, zones: newNameIndex(), hosts: newNameIndex(), counts: map[Group]int{},
		released: newTree(compareReleases),
	}
}

// newTree returns a tree without locks of its own.
func newTree[T any](compare func(a, b T) int) *btree.BTreeG[T] {
	return btree.NewBTreeGOptions(func(a, b T) bool { return compare(a, b) < 0 }, btree.Options{NoLocks: true})
}

func compareIDs(a, b *Entry) int { return strings.Compare(a.ID(), b.ID()) }

// compareAddresses orders addresses as numbers, IPv4 first, and equal ones by id.
func compareAddresses(a, b *Entry) int {
	if order := a.addr.Compare(b.addr); order != 0 {
		return order
	}
	return compareIDs(a, b)
}

// position returns an entry that is in the place of an address and id, for a tree to begin at.
func position(addr netip.Addr, id string) *Entry {
	return &Entry{addr: addr, text: id, idLength: uint32(len(id))}
}

// compareReleases orders addresses by the time at which they were given back.
func compareReleases(a, b *Entry) int {
	if order := cmp.Compare(a.released, b.released); order != 0 {
		return order
	}
	return compareAddresses(a, b)
}

// Apply makes the index hold a document as it is stored now, or with "_deleted" removes it.
func (x *Index) Apply(doc document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	id := doc.ID()
	if strings.HasPrefix(id, "_") {
		return
	}
	if old := x.byID[id]; old != nil {
		x.remove(old)
	}
	if history.StateOf(doc).Exists {
		x.add(NewEntry(doc))
	}
}

// NewEntry returns the entry of a document of the pool. Fields that are not strings are empty in the entry.
func NewEntry(doc document.Document) *Entry {
	id := doc.ID()
	addr, isAddress := ipaddr.Parse(id)
	of := Group{
		Zone: doc.String(kazoo.FieldZone), Host: doc.String(kazoo.FieldHost), Status: doc.String(kazoo.FieldStatus),
		Address: isAddress,
	}
	e := &Entry{
		text: id + doc.Rev(), idLength: uint32(len(id)), noted: doc[kazoo.FieldNotes] != nil,
		addr: addr, odd: isAddress && addr.String() != id,
		labels: unique.Make(labels{of, doc.String(kazoo.FieldAssignedTo)}),
	}
	if release, ok := history.LastRelease(doc); ok {
		e.released = release.At
	}
	return e
}

func (x *Index) add(e *Entry) {
	of := e.labels.Value()
	x.byID[e.ID()] = e
	zone, host := x.zones.add(of.Zone), x.hosts.add(of.Host)
	x.counts[of.Group]++
	if !e.addr.IsValid() {
		return
	}
	zone.addresses.Set(e)
	host.addresses.Set(e)
	if e.odd {
		spelled := append(x.spellings[e.addr], e)
		slices.SortFunc(spelled, compareIDs)
		x.spellings[e.addr] = spelled
	}
	insert(x.statuses, of.Status, e)
	switch of.Status {
	case kazoo.Available:
		zone.available.Set(e)
		if e.released > 0 {
			x.released.Set(e)
		}
	case kazoo.Assigned:
		insert(x.accounts, of.holder, e)
	}
}

// insert adds an entry to one of several trees by address.
func insert(trees map[string]tree, name string, e *Entry) {
	t := trees[name]
	if t == nil {
		t = newTree(compareAddresses)
		trees[name] = t
	}
	t.Set(e)
}

// drop removes an entry from one of several trees, and the tree if it is empty then.
func drop(trees map[string]tree, name string, e *Entry) {
	t := trees[name]
	if t.Delete(e); t.Len() == 0 {
		delete(trees, name)
	}
}

// remove is the inverse of add, step by step.
func (x *Index) remove(e *Entry) {
	of := e.labels.Value()
	delete(x.byID, e.ID())
	zone, host := x.zones.remove(of.Zone), x.hosts.remove(of.Host)
	if x.counts[of.Group]--; x.counts[of.Group] == 0 {
		delete(x.counts, of.Group)
	}
	if !e.addr.IsValid() {
		return
	}
	zone.addresses.Delete(e)
	host.addresses.Delete(e)
	if e.odd {
		left := slices.DeleteFunc(x.spellings[e.addr], func(other *Entry) bool { return other == e })
		if x.spellings[e.addr] = left; len(left) == 0 {
			delete(x.spellings, e.addr)
		}
	}
	drop(x.statuses, of.Status, e)
	switch of.Status {
	case kazoo.Available:
		zone.available.Delete(e)
		x.released.Delete(e)
	case kazoo.Assigned:
		drop(x.accounts, of.holder, e)
	}
}

// Find returns the entry of an address in any spelling, nil if there is none: the one stored under that id, else under
// the canonical one, else the first of the other spellings.
func (x *Index) Find(text string) *Entry {
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

// Len returns how many entries there are.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// Revision returns the revision of a document, empty if there is none.
func (x *Index) Revision(id string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[id]; e != nil {
		return e.Revision()
	}
	return ""
}

// IDs returns the ids of all documents.
func (x *Index) IDs() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Collect(maps.Keys(x.byID))
}

// Holder returns the account that holds an address, empty if there is none.
func (x *Index) Holder(id string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.byID[id]; e != nil && e.Status() != kazoo.Available {
		return e.Holder()
	}
	return ""
}
