package cluster

import (
	"math/rand/v2"
	"net/netip"
	"slices"

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

// Lookup returns the clusters that have an address in a direction, or in both if direction is empty: by id, and those
// of one cluster by the name of the zone.
func (r *Registry) Lookup(ip, direction string) ([]Holding, error) {
	addr, err := checkIP(ip)
	if err == nil && direction != "" {
		err = checkDirection(direction)
	}
	if err != nil {
		return nil, err
	}
	return r.index.lookup(addr, direction)
}

// Addresses returns the addresses of a cluster in a direction, in the order to try: first those of the zone asked for,
// if any, then zone by zone, by name. Within a zone they are in the order of the document, or shuffled if the cluster
// has randomize_routing.
func (r *Registry) Addresses(cluster, direction, zone string) ([]Address, error) {
	if err := checkDirection(direction); err != nil {
		return nil, err
	}
	known, err := r.index.cluster(cluster)
	if err != nil || known == nil {
		return []Address{}, err
	}
	addresses := []Address{}
	zones := known.zones[slices.Index(directions, direction)]
	for _, first := range []bool{true, false} {
		for _, z := range zones {
			if (z.name.Value() == zone) == first {
				addresses = z.appendTo(addresses)
			}
		}
	}
	if known.randomize {
		r.shuffleZones(addresses)
	}
	return addresses, nil
}

func (z *zoneEntry) appendTo(addresses []Address) []Address {
	for _, addr := range z.addresses {
		addresses = append(addresses, Address{addr.String(), z.name.Value()})
	}
	return addresses
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

// errNotLoaded is the error until the store has been read for the first time.
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
