package ipaddr

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Range is the addresses from From to To, both included, which are of one family.
type Range struct{ From, To netip.Addr }

// Contains reports whether addr is in the range.
func (r Range) Contains(addr netip.Addr) bool {
	return r.From.Compare(addr) <= 0 && addr.Compare(r.To) <= 0
}

// RangeOf returns the addresses of a network. Bits behind the length are ignored. A network of IPv4-mapped IPv6
// addresses is its IPv4 network.
func RangeOf(network netip.Prefix) Range {
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	from := network.Masked().Addr()
	last := from.AsSlice()
	for bit := max(network.Bits(), 0); bit < from.BitLen(); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	to, _ := netip.AddrFromSlice(last)
	return Range{from, to}
}

// Beginning returns the addresses that have a spelling which begins with text, as ranges in order that do not overlap.
// It returns none for what no address begins with. The case of text does not matter. The groups of an IPv6 address
// have no leading zeros or four digits, and "::" stands for one or more groups of zeros. An IPv4 address in an IPv6
// address is found after "::ffff:" only.
func Beginning(text string) []Range {
	if text == "" {
		return nil
	}
	text = strings.ToLower(strings.TrimPrefix(text, "["))
	if text == ":" {
		text = "::"
	}
	ranges := append(beginning4(text), beginning6(text)...)
	if dotted, ok := strings.CutPrefix(text, "::ffff:"); ok && strings.Contains(dotted, ".") {
		ranges = append(ranges, beginning4(dotted)...)
	}
	return merged(ranges)
}

// merged returns ranges in order, and as one those that overlap.
func merged(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int { return a.From.Compare(b.From) })
	var list []Range
	for _, r := range ranges {
		if last := len(list) - 1; last >= 0 && r.From.Compare(list[last].To) <= 0 {
			if r.To.Compare(list[last].To) > 0 {
				list[last].To = r.To
			}
			continue
		}
		list = append(list, r)
	}
	return list
}

// span is the values of one part of an address, both included: an octet, or a group of 16 bits.
type span struct{ from, to uint16 }

// spans returns the values whose text begins with digits, in a base, without leading zeros. values is how many there
// are.
func spans(digits string, base, values int) (list []span) {
	value, err := strconv.ParseUint(digits, base, 16)
	if err != nil || int(value) >= values || len(digits) > 1 && digits[0] == '0' {
		return nil
	}
	from, to := int(value), int(value)
	for from < values {
		list = append(list, span{uint16(from), uint16(min(to, values-1))}) //nolint:gosec // both are below values
		if from == 0 {
			break // 0 begins no longer number
		}
		from, to = from*base, to*base+base-1
	}
	return list
}

// exactly returns the value of a complete part.
func exactly(digits string, base, values int) (span, bool) {
	list := spans(digits, base, values)
	if len(list) == 0 {
		return span{}, false
	}
	return span{list[0].from, list[0].from}, true
}

func beginning4(text string) (ranges []Range) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return nil
	}
	known := make([]span, 0, len(parts))
	for _, part := range parts[:len(parts)-1] {
		octet, ok := exactly(part, 10, 256)
		if !ok {
			return nil
		}
		known = append(known, octet)
	}
	last := []span{{0, 255}}
	if text := parts[len(parts)-1]; text != "" {
		last = spans(text, 10, 256)
	}
	for _, octet := range last {
		ranges = append(ranges, range4(append(slices.Clone(known), octet)))
	}
	return ranges
}

// range4 returns the addresses that begin with octets, of which only the last may be more than one value.
func range4(octets []span) Range {
	from, to := [4]byte{}, [4]byte{255, 255, 255, 255}
	for i, octet := range octets {
		from[i], to[i] = byte(octet.from), byte(octet.to) //nolint:gosec // below 256
	}
	return Range{netip.AddrFrom4(from), netip.AddrFrom4(to)}
}

// groups6 is how many groups an IPv6 address has.
const groups6 = 8

func beginning6(text string) (ranges []Range) {
	before, after, zeros := strings.Cut(text, "::")
	if !zeros {
		groups, last, ok := groupsOf(text)
		if !ok {
			return nil
		}
		return ranges6(groups, last)
	}
	if before != "" {
		before += ":"
	}
	head, _, ok := groupsOf(before)
	tail, last, fine := groupsOf(after)
	if !ok || !fine {
		return nil
	}
	for count := 1; count <= groups6; count++ {
		ranges = append(ranges, ranges6(slices.Concat(head, make([]span, count), tail), last)...)
	}
	return ranges
}

// groupsOf reads groups between colons: those that a colon ends, and what the group after them can be. last is nil if
// there is no text.
func groupsOf(text string) (complete, last []span, ok bool) {
	if text == "" {
		return nil, nil, true
	}
	parts := strings.Split(text, ":")
	for _, part := range parts[:len(parts)-1] {
		value, err := strconv.ParseUint(part, 16, 16)
		if err != nil || len(part) > 4 {
			return nil, nil, false
		}
		complete = append(complete, span{uint16(value), uint16(value)})
	}
	if last = []span{{0, 0xffff}}; parts[len(parts)-1] != "" {
		last = openGroup(parts[len(parts)-1])
	}
	return complete, last, len(last) > 0
}

// openGroup returns the groups whose text begins with digits: without leading zeros, or with as many as fill it.
func openGroup(digits string) []span {
	if len(digits) > 4 || digits[0] != '0' {
		return spans(digits, 16, 1<<16)
	}
	value, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		return nil
	}
	missing := 4 * (4 - len(digits))
	return []span{{uint16(value << missing), uint16((value+1)<<missing - 1)}}
}

// ranges6 returns the addresses that begin with groups and go on with one of last, or anyhow if last is nil.
func ranges6(groups, last []span) (ranges []Range) {
	if last == nil && len(groups) <= groups6 {
		return []Range{range6(groups)}
	}
	if len(groups) >= groups6 {
		return nil
	}
	for _, group := range last {
		ranges = append(ranges, range6(append(slices.Clone(groups), group)))
	}
	return ranges
}

// range6 is range4 for IPv6.
func range6(groups []span) Range {
	var from, to [16]byte
	for i := range groups6 {
		group := span{0, 0xffff}
		if i < len(groups) {
			group = groups[i]
		}
		binary.BigEndian.PutUint16(from[2*i:], group.from)
		binary.BigEndian.PutUint16(to[2*i:], group.to)
	}
	return Range{netip.AddrFrom16(from), netip.AddrFrom16(to)}
}
