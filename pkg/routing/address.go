package routing

import (
	"maps"
	"net/netip"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
)

// The directions of a call, as seen by the cluster.
const (
	Inbound  = "inbound"
	Outbound = "outbound"
)

var directions = []string{Inbound, Outbound}

// addressSlot is what at most one cluster has: an address in a direction.
type addressSlot struct {
	direction string
	addr      netip.Addr
}

// String is the id of the slot's claim.
func (s addressSlot) String() string { return s.direction + ":" + s.addr.String() }

// zone is what a document says of one zone in one direction.
type zone struct {
	name      string
	addresses []any
}

// zonesOf returns the zones of a document, valid or not, in a direction. They are sorted by name, since an object has no
// order of its own.
func zonesOf(doc document.Document, direction string) []zone {
	ips, _ := doc[fieldIPs].(map[string]any)
	object, _ := ips[direction].(map[string]any)
	zones := make([]zone, 0, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		addresses, _ := object[name].([]any)
		zones = append(zones, zone{name, addresses})
	}
	return zones
}

// parsed returns the addresses of a zone, without values that are none.
func (z zone) parsed() []netip.Addr {
	addresses := make([]netip.Addr, 0, len(z.addresses))
	for _, value := range z.addresses {
		text, _ := value.(string)
		if addr, ok := ipaddr.Parse(text); ok {
			addresses = append(addresses, addr)
		}
	}
	return addresses
}

// slotsOf returns what a stored document holds, nothing if it is marked as deleted.
func slotsOf(doc document.Document) map[addressSlot]bool {
	slots := map[addressSlot]bool{}
	if !isLive(doc) {
		return slots
	}
	for _, direction := range directions {
		for _, zone := range zonesOf(doc, direction) {
			for _, addr := range zone.parsed() {
				slots[addressSlot{direction, addr}] = true
			}
		}
	}
	return slots
}
