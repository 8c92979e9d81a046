package routing

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// Owner says that a cluster has an address.
type Owner struct {
	ClusterID string `json:"cluster_id"`
	Owner     string `json:"owner"`
	Name      string `json:"name"`
	Direction string `json:"direction"`
	Zone      string `json:"zone"`
}

// bothDirections stands for all addresses of a cluster, see Addresses.
const bothDirections = "both"

// Address is an address to send a call to.
type Address struct {
	IP        string `json:"ip"`
	Zone      string `json:"zone"`
	Direction string `json:"direction,omitempty"` // where addresses of both are listed
}

// Lookup returns the clusters that have an address in a direction, or in both if direction is empty: by id, and those
// of one cluster by the name of the zone.
func (r *Registry) Lookup(ip, direction string) ([]Owner, error) {
	addr, err := checkIP(ip)
	if err == nil && direction != "" {
		err = checkDirection(direction)
	}
	if err == nil {
		err = r.checkLoaded()
	}
	if err != nil {
		return nil, err
	}
	return r.index.lookup(addr, direction), nil
}

// Addresses returns the addresses of a cluster in a direction, in the order to try: first those of the zone asked for,
// if any, then zone by zone, by name. Within a zone they are in the order of the document, or shuffled if the cluster
// has randomize_routing. The direction "both" returns all addresses, each with its direction, and shuffles none.
func (r *Registry) Addresses(cluster, direction, zone string) ([]Address, error) {
	if direction != bothDirections {
		if err := checkDirection(direction); err != nil {
			return nil, err
		}
	}
	if err := r.checkLoaded(); err != nil {
		return nil, err
	}
	known := r.index.cluster(cluster)
	if direction == bothDirections {
		all := []Address{}
		for i, name := range directions {
			for _, a := range known.addresses(i, zone, false) {
				all = append(all, Address{a.IP, a.Zone, name})
			}
		}
		return all, nil
	}
	return known.addresses(slices.Index(directions, direction), zone, true), nil
}

// addresses returns all addresses in a direction: those of the first zone, then zone by zone, by name. If mayShuffle is
// true, those of a zone are shuffled if the cluster has randomize_routing. A nil entry has none.
func (e *entry) addresses(direction int, first string, mayShuffle bool) []Address {
	all := []Address{}
	if e == nil {
		return all
	}
	for _, isFirst := range []bool{true, false} {
		for _, zone := range e.zones[direction] {
			if (zone.name.Value() == first) != isFirst {
				continue
			}
			before := len(all)
			for _, addr := range zone.addresses {
				all = append(all, Address{IP: addr.String(), Zone: zone.name.Value()})
			}
			if added := all[before:]; mayShuffle && e.randomize {
				rand.Shuffle(len(added), func(i, j int) { added[i], added[j] = added[j], added[i] })
			}
		}
	}
	return all
}

// checkLoaded returns fault.DatastoreUnreachable until all clusters have been read.
func (r *Registry) checkLoaded() error {
	if r.mirror.AsOf().IsZero() {
		return fault.New(fault.DatastoreUnreachable, "")
	}
	return nil
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
