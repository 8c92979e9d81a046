package cluster

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

func shuffle(count int, swap func(i, j int)) { rand.Shuffle(count, swap) }

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

// Lookup answers whose an address is in a direction, or in both where direction is empty. Nobody's is an empty
// list.
func (r *Registry) Lookup(ip, direction string) ([]Holding, error) {
	addr, err := checkIP(ip)
	if err == nil && direction != "" {
		err = checkDirection(direction)
	}
	if err != nil {
		return nil, err
	}
	r.table.mu.RLock()
	defer r.table.mu.RUnlock()
	if !r.table.loaded {
		return nil, errNotLoaded()
	}
	found := []Holding{}
	for i, name := range directions {
		if direction == "" || direction == name {
			found = r.table.appendHoldings(found, i, addr)
		}
	}
	return found, nil
}

// appendHoldings adds whose an address is in one direction: the clusters by their ids, their zones by name.
func (t *table) appendHoldings(found []Holding, direction int, addr netip.Addr) []Holding {
	refs := t.holders[direction].of(addr)
	if len(refs) > 1 { // rarely
		slices.SortStableFunc(refs, func(a, b ref) int {
			return strings.Compare(t.members[a.member].id(), t.members[b.member].id())
		})
	}
	for _, r := range refs {
		p := t.members[r.member].profile()
		found = append(found, Holding{p.id, p.owner, p.name, directions[direction], p.zones[direction].name(r.zone)})
	}
	return found
}

// Addresses answers the addresses of a cluster in a direction, in the order to try: those of the zone asked for
// first, which may be none, then zone by zone, by name. Within a zone they are in the order of the document, or
// shuffled where the cluster says randomize_routing.
func (r *Registry) Addresses(cluster, direction, zone string) ([]Address, error) {
	if err := checkDirection(direction); err != nil {
		return nil, err
	}
	known, err := r.table.profile(cluster)
	if err != nil {
		return nil, err
	}
	zones := known.zones[slices.Index(directions, direction)]
	addresses := make([]Address, 0, len(zones)/shortestAddress)
	for _, first := range []bool{true, false} {
		for _, z := range zones.all() {
			if (z.name == zone) == first {
				addresses = z.appendTo(addresses)
			}
		}
	}
	if known.randomize {
		r.shuffleZones(addresses)
	}
	return addresses, nil
}

func (z packedZone) appendTo(addresses []Address) []Address {
	for addr := range z.addresses.all() {
		addresses = append(addresses, Address{addr.String(), z.name})
	}
	return addresses
}

// profile answers what is known of a cluster, which is nothing where there is none.
func (t *table) profile(id string) (profile, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if !t.loaded {
		return profile{}, errNotLoaded()
	}
	if known := t.member(id); known != nil {
		return known.profile(), nil
	}
	return profile{}, nil
}

// shuffleZones shuffles each run of addresses of one zone.
func (r *Registry) shuffleZones(addresses []Address) {
	for from := 0; from < len(addresses); {
		to := from + 1
		for to < len(addresses) && addresses[to].Zone == addresses[from].Zone {
			to++
		}
		run := addresses[from:to]
		r.options.Shuffle(len(run), func(i, j int) { run[i], run[j] = run[j], run[i] })
		from = to
	}
}

// errNotLoaded is answered before the store has been read for the first time.
func errNotLoaded() error {
	return fault.New(fault.DatastoreUnreachable, "")
}

func checkIP(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, missing("ip")
	}
	addr, ok := ipaddr.Parse(text)
	if !ok {
		return addr, fault.Finding("ip", "not_one_schema_valid", "failed to validate", map[string]any{"value": text})
	}
	return addr, nil
}

func checkDirection(text string) error {
	switch text {
	case Inbound, Outbound:
		return nil
	case "":
		return missing("direction")
	}
	return fault.Finding("direction", "enum", "Value not found in enumerated list of values",
		map[string]any{"target": directions, "value": text})
}

func missing(field string) error {
	return fault.Finding(field, "required", "Field is required but missing", map[string]any{"value": field})
}
