package routing

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unique"

	"junctor/pkg/document"
)

// index has the live clusters in memory, by id, and which of them have an address in a direction. The mirror of the
// database maintains it.
type index struct {
	mu       sync.RWMutex
	clusters map[string]*entry
	holders  [2]map[netip.Addr][]*zoneEntry // by direction; in the order of look-ups
}

// entry is a live cluster. It does not change once it is in the index.
type entry struct {
	id, rev     string
	owner, name string
	randomize   bool
	zones       [2][]*zoneEntry // by direction; by name
}

// zoneEntry has the addresses of a cluster's zone in one direction, in the order of the document.
type zoneEntry struct {
	cluster   *entry
	name      unique.Handle[string]
	addresses []netip.Addr
}

func newIndex() *index {
	return &index{clusters: map[string]*entry{}, holders: [2]map[netip.Addr][]*zoneEntry{{}, {}}}
}

// newEntry reads a document, valid or not. It returns nil if that is no live cluster. Values that are no addresses,
// and zones without any, are left out.
func newEntry(doc document.Document) *entry {
	if !isLive(doc) {
		return nil
	}
	e := &entry{id: doc.ID(), rev: doc.Rev(), owner: doc.String(fieldOwner), name: doc.String(fieldName),
		randomize: doc.Bool(fieldRandomize)}
	for i, direction := range directions {
		for _, zone := range zonesOf(doc, direction) {
			if addresses := zone.parsed(); len(addresses) > 0 {
				e.zones[i] = append(e.zones[i], &zoneEntry{e, unique.Make(zone.name), addresses})
			}
		}
	}
	return e
}

// Apply takes in a document as it is stored now.
func (x *index) Apply(doc document.Document) {
	id, e := doc.ID(), newEntry(doc)
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.clusters[id]; old != nil {
		old.each(x.unlink)
		delete(x.clusters, id)
	}
	if e != nil {
		x.clusters[id] = e
		e.each(x.link)
	}
}

// Revision returns the revision of a live cluster, "" if there is none.
func (x *index) Revision(id string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if e := x.clusters[id]; e != nil {
		return e.rev
	}
	return ""
}

// IDs returns the ids of all live clusters.
func (x *index) IDs() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Collect(maps.Keys(x.clusters))
}

// each calls do for every address of a cluster, in the order of look-ups.
func (e *entry) each(do func(direction int, zone *zoneEntry, addr netip.Addr)) {
	for direction, zones := range e.zones {
		for _, zone := range zones {
			for _, addr := range zone.addresses {
				do(direction, zone, addr)
			}
		}
	}
}

// link adds a holder of an address. An address has several for a moment only, or where documents were written by hand.
func (x *index) link(direction int, zone *zoneEntry, addr netip.Addr) {
	holders := append(x.holders[direction][addr], zone)
	if len(holders) > 1 {
		slices.SortStableFunc(holders, func(a, b *zoneEntry) int {
			return cmp.Or(strings.Compare(a.cluster.id, b.cluster.id), strings.Compare(a.name.Value(), b.name.Value()))
		})
	}
	x.holders[direction][addr] = holders
}

func (x *index) unlink(direction int, zone *zoneEntry, addr netip.Addr) {
	left := slices.DeleteFunc(x.holders[direction][addr], func(z *zoneEntry) bool { return z == zone })
	if len(left) == 0 {
		delete(x.holders[direction], addr)
	} else {
		x.holders[direction][addr] = left
	}
}

// cluster returns the entry of a cluster, nil if there is none.
func (x *index) cluster(id string) *entry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.clusters[id]
}

// lookup returns who has an address in one direction, or in both if direction is empty.
func (x *index) lookup(addr netip.Addr, direction string) []Owner {
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := []Owner{}
	for i, name := range directions {
		if direction != "" && direction != name {
			continue
		}
		for _, zone := range x.holders[i][addr] {
			c := zone.cluster
			found = append(found, Owner{c.id, c.owner, c.name, name, zone.name.Value()})
		}
	}
	return found
}
