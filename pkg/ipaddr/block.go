package ipaddr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"net/netip"
	"strings"
)

// Block is a run of addresses of one family, from First to Last, both included. First is not above Last.
type Block struct{ First, Last netip.Addr }

// Contains reports whether an address is one of the block's.
func (b Block) Contains(addr netip.Addr) bool {
	return b.First.Compare(addr) <= 0 && addr.Compare(b.Last) <= 0
}

// Intersect returns the addresses that both blocks have. If there are none, its First is above its Last.
func (b Block) Intersect(other Block) Block {
	if b.First.Less(other.First) {
		b.First = other.First
	}
	if other.Last.Less(b.Last) {
		b.Last = other.Last
	}
	return b
}

// Errors of ParseCIDR and ParseRange. They name no address, since a caller repeats the text that it passed.
var (
	errCIDR   = errors.New("must be an address and a prefix length, as in 192.0.2.0/24")
	errRange  = errors.New("must be two addresses with a hyphen between them, as in 192.0.2.10-192.0.2.20")
	errFamily = errors.New("must not be from IPv4 to IPv6")
	errOrder  = errors.New("must begin with the lower address")
)

// ParseCIDR parses a network in CIDR notation. Of an IPv4 network it leaves out the network and the broadcast address
// unless all is true; networks of /31 and /32 have neither (RFC 3021). Host bits that are set are an error: the text may
// be the address of an interface.
func ParseCIDR(text string, all bool) (Block, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return Block{}, errCIDR
	}
	if prefix.Addr().Is4In6() {
		const mapped = 96 // bits before the IPv4 address
		if prefix.Bits() < mapped {
			return Block{}, errCIDR
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	if masked := prefix.Masked(); masked != prefix {
		return Block{}, fmt.Errorf("has host bits set: the network is %s", masked)
	}
	b := Block{First: prefix.Addr(), Last: lastOf(prefix)}
	if b.First.Is4() && !all && prefix.Bits() < 31 {
		b.First, b.Last = b.First.Next(), b.Last.Prev()
	}
	return b, nil
}

// lastOf returns the last address of a network.
func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// ParseBlock parses an address, or a network in CIDR notation with all of its addresses.
func ParseBlock(text string) (Block, error) {
	if addr, ok := Parse(text); ok {
		return Block{First: addr, Last: addr}, nil
	}
	return ParseCIDR(text, true)
}

// ParseRange parses two addresses, as in "192.0.2.10-192.0.2.20".
func ParseRange(text string) (Block, error) {
	from, to, _ := strings.Cut(text, "-")
	first, ok := Parse(strings.TrimSpace(from))
	last, too := Parse(strings.TrimSpace(to))
	switch {
	case !ok || !too:
		return Block{}, errRange
	case first.BitLen() != last.BitLen():
		return Block{}, errFamily
	case last.Less(first):
		return Block{}, errOrder
	}
	return Block{first, last}, nil
}

// Size returns how many addresses there are, or most if there are more.
func (b Block) Size(most int) int {
	first, last := b.First.As16(), b.Last.As16()
	low, borrow := bits.Sub64(binary.BigEndian.Uint64(last[8:]), binary.BigEndian.Uint64(first[8:]), 0)
	high, _ := bits.Sub64(binary.BigEndian.Uint64(last[:8]), binary.BigEndian.Uint64(first[:8]), borrow)
	if high > 0 || low >= uint64(most) {
		return most
	}
	return int(low) + 1
}

// Addresses returns the addresses in order.
func (b Block) Addresses() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := b.First; yield(addr) && addr != b.Last; {
			addr = addr.Next()
		}
	}
}
