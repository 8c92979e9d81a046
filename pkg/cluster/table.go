package cluster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"junctor/pkg/document"
)

// Holding says that a cluster has an address.
type Holding struct {
	ClusterID string `json:"cluster_id"`
	Owner     string `json:"owner"`
	Name      string `json:"name"`
	Direction string `json:"direction"`
	Zone      string `json:"zone"`
}

// Address is an address to send a call to.
type Address struct {
	IP   string `json:"ip"`
	Zone string `json:"zone"`
}

// table is the registry in memory. Its lists are never changed, only replaced: what a look-up found stays as it is.
type table struct {
	mu      sync.RWMutex
	members map[string]*member // by cluster id, the deleted ones too, for their revisions
	holders map[slot][]Holding
	clock   uint64 // counts what was applied
	loaded  bool
}

// member is what the table knows of one cluster.
type member struct {
	rev       revision
	applied   uint64
	holdings  map[slot][]Holding
	addresses map[string][]Address // by direction, zones in order
	randomize bool
}

// revision is the order in which a store puts the revisions of a document.
type revision struct {
	generation int
	hash       string
}

func revisionOf(doc document.Document) revision {
	number, hash, _ := strings.Cut(doc.Rev(), "-")
	generation, _ := strconv.Atoi(number)
	return revision{generation, hash}
}

func (r revision) compare(other revision) int {
	return cmp.Or(cmp.Compare(r.generation, other.generation), strings.Compare(r.hash, other.hash))
}

func newTable() table {
	return table{members: map[string]*member{}, holders: map[slot][]Holding{}}
}

// apply takes in a document, unless a later revision of it is known: what this process wrote itself is known
// before the feed tells of it.
func (t *table) apply(doc document.Document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.members[doc.ID()]; known != nil && known.rev.compare(revisionOf(doc)) >= 0 {
		return
	}
	t.replace(doc.ID(), memberOf(doc))
}

// now answers a time for reload.
func (t *table) now() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.clock
}

// reload makes the table what the store has, where docs were read after since. What was applied meanwhile stays,
// unless the store had something later.
func (t *table) reload(since uint64, docs []document.Document) {
	stored := make(map[string]bool, len(docs))
	for _, doc := range docs {
		stored[doc.ID()] = true
		t.restore(since, doc)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, m := range t.members {
		if !stored[id] && m.applied <= since {
			t.replace(id, nil)
		}
	}
	t.loaded = true
}

// restore is apply for a document that was read after since: before, the table may have been of another database.
func (t *table) restore(since uint64, doc document.Document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, order := t.members[doc.ID()], -1
	if known != nil {
		order = known.rev.compare(revisionOf(doc))
	}
	if order < 0 || order > 0 && known.applied <= since {
		t.replace(doc.ID(), memberOf(doc))
	}
}

// replace puts a member in the place of what the table had of a cluster; nil is none.
func (t *table) replace(id string, m *member) {
	if old := t.members[id]; old != nil {
		for s := range old.holdings {
			t.hold(s, id, nil)
		}
	}
	delete(t.members, id)
	if m == nil {
		return
	}
	t.clock++
	m.applied = t.clock
	t.members[id] = m
	for s, holdings := range m.holdings {
		t.hold(s, id, holdings)
	}
}

// hold replaces the holdings of one cluster in a slot. There should not be any of another.
func (t *table) hold(s slot, id string, holdings []Holding) {
	list := slices.Clone(holdings)
	for _, h := range t.holders[s] {
		if h.ClusterID != id {
			list = append(list, h)
		}
	}
	if len(list) == 0 {
		delete(t.holders, s)
		return
	}
	slices.SortStableFunc(list, func(a, b Holding) int { return strings.Compare(a.ClusterID, b.ClusterID) })
	t.holders[s] = list
}

// memberOf reads a document, valid or not.
func memberOf(doc document.Document) *member {
	m := &member{rev: revisionOf(doc)}
	if !isLive(doc) {
		return m
	}
	m.randomize = doc.Bool(fieldRandomize)
	m.holdings, m.addresses = map[slot][]Holding{}, map[string][]Address{}
	for _, direction := range directions {
		for _, zone := range zonesOf(doc, direction) {
			for _, value := range zone.addresses {
				text, _ := value.(string)
				addr, ok := parse(text)
				if !ok {
					continue
				}
				s := slot{direction, addr}
				m.addresses[direction] = append(m.addresses[direction], Address{addr.String(), zone.name})
				m.holdings[s] = append(m.holdings[s], Holding{
					doc.ID(), doc.String(fieldOwner), doc.String(fieldName), direction, zone.name})
			}
		}
	}
	return m
}
