package cluster

import (
	"math/rand/v2"
	"net/netip"

	"junctor/pkg/fault"
)

func shuffle(count int, swap func(i, j int)) { rand.Shuffle(count, swap) }

// Lookup answers whose an address is in a direction, or in both where direction is empty. Nobody's is an empty
// list. The answer is shared and must not be changed.
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
	if direction != "" {
		return orEmpty(r.table.holders[slot{direction, addr}]), nil
	}
	in, out := r.table.holders[slot{Inbound, addr}], r.table.holders[slot{Outbound, addr}]
	switch {
	case len(in) == 0:
		return orEmpty(out), nil
	case len(out) == 0:
		return in, nil
	}
	return append(in[:len(in):len(in)], out...), nil
}

func orEmpty(list []Holding) []Holding {
	if list == nil {
		return []Holding{}
	}
	return list
}

// Addresses answers the addresses of a cluster in a direction, in the order to try: those of the zone asked for
// first, which may be none, then zone by zone, by name. Within a zone they are in the order of the document, or
// shuffled where the cluster says randomize_routing.
func (r *Registry) Addresses(cluster, direction, zone string) ([]Address, error) {
	if err := checkDirection(direction); err != nil {
		return nil, err
	}
	known, randomize, err := r.table.addressesOf(cluster, direction)
	if err != nil {
		return nil, err
	}
	addresses := make([]Address, 0, len(known))
	for _, first := range []bool{true, false} {
		for _, a := range known {
			if (a.Zone == zone) == first {
				addresses = append(addresses, a)
			}
		}
	}
	if randomize {
		r.shuffleZones(addresses)
	}
	return addresses, nil
}

func (t *table) addressesOf(cluster, direction string) (addresses []Address, randomize bool, err error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if !t.loaded {
		return nil, false, errNotLoaded()
	}
	if m := t.members[cluster]; m != nil {
		return m.addresses[direction], m.randomize, nil
	}
	return nil, false, nil
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
	addr, ok := parse(text)
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
