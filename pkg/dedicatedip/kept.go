package dedicatedip

import (
	"sync"

	"junctor/pkg/document"
)

// listingName names a kept listing: what an account holds, as a node of a zone lists it.
type listingName struct{ accountID, local string }

// listing is a listing as it was at a version of what it lists.
type listing struct {
	version uint64
	items   *Items
}

// assigned lists what an account holds. A listing is made, and turned into JSON, once for every change.
func (m *memory) assigned(accountID, local string) *Items {
	name, version := listingName{accountID, local}, m.table.assignedVersion(accountID)
	if kept, ok := m.listings.Get(name); ok && kept.version == version {
		return kept.items
	}
	items, version := m.table.assignedTo(accountID) // there may be a later one by now
	made := document.NewEncoded(nearestFirst(items, local))
	if len(items) <= longestKept {
		m.listings.Add(name, listing{version, made})
	}
	return made
}

// keptNames is a listing of names as it was at a version of them.
type keptNames struct {
	mu      sync.Mutex
	version uint64
	names   *Names
}

// get answers the listing, made anew where there is a newer version.
func (k *keptNames) get(t *table, n *names) *Names {
	k.mu.Lock()
	defer k.mu.Unlock()
	names, version := t.namesOf(n, k.version)
	if k.names == nil || version != k.version {
		k.names, k.version = document.NewEncoded(names), version
	}
	return k.names
}
