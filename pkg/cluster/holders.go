package cluster

import (
	"net/netip"
	"slices"
)

// holders says where the addresses are in one direction. There are no pointers in what there is for every address,
// so the garbage collector does not look into it.
type holders struct {
	first  map[[16]byte]ref
	others map[[16]byte][]ref // of the few addresses that are in more than one place, for a moment or by hand
}

// ref is a place of an address: a zone of a member, both by their numbers.
type ref struct{ member, zone uint32 }

func newHolders() holders {
	return holders{map[[16]byte]ref{}, map[[16]byte][]ref{}}
}

// of answers the places of an address in a list of its own, those in one member in the order of the zones.
func (h holders) of(addr netip.Addr) []ref {
	key := addr.As16()
	first, held := h.first[key]
	if !held {
		return nil
	}
	return append([]ref{first}, h.others[key]...)
}

func (h holders) add(addr netip.Addr, r ref) {
	key := addr.As16()
	if _, held := h.first[key]; held {
		h.others[key] = append(h.others[key], r)
		return
	}
	h.first[key] = r
}

// drop forgets the places of an address in a member.
func (h holders) drop(addr netip.Addr, member uint32) {
	left := slices.DeleteFunc(h.of(addr), func(r ref) bool { return r.member == member })
	delete(h.first, addr.As16())
	delete(h.others, addr.As16())
	for _, r := range left {
		h.add(addr, r)
	}
}
