package ipaddr

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Beginning returns the addresses that have a spelling which begins with text, as blocks in order that do not overlap.
// It returns none for what no address begins with. The case of text does not matter. The groups of an IPv6 address
// have no leading zeros or four digits, and "::" stands for one or more groups of zeros. An IPv4 address in an IPv6
// address is found after "::ffff:" only.
func Beginning(text string) []Block {
	if text == "" {
		return nil
	}
	text = strings.ToLower(strings.TrimPrefix(text, "["))
	if text == ":" {
		text = "::"
	}
	blocks := append(beginning4(text), beginning6(text)...)
	if dotted, ok := strings.CutPrefix(text, "::ffff:"); ok && strings.Contains(dotted, ".") {
		blocks = append(blocks, beginning4(dotted)...)
	}
	return merged(blocks)
}

// merged returns blocks in order, and as one those that overlap.
func merged(blocks []Block) []Block {
	slices.SortFunc(blocks, func(a, b Block) int { return a.First.Compare(b.First) })
	var list []Block
	for _, b := range blocks {
		if last := len(list) - 1; last >= 0 && b.First.Compare(list[last].Last) <= 0 {
			list[last].Last = slices.MaxFunc([]netip.Addr{list[last].Last, b.Last}, netip.Addr.Compare)
			continue
		}
		list = append(list, b)
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

func beginning4(text string) (blocks []Block) {
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
		blocks = append(blocks, block4(append(slices.Clone(known), octet)))
	}
	return blocks
}

// block4 returns the addresses that begin with octets, of which only the last may be more than one value.
func block4(octets []span) Block {
	from, to := [4]byte{}, [4]byte{255, 255, 255, 255}
	for i, octet := range octets {
		from[i], to[i] = byte(octet.from), byte(octet.to) //nolint:gosec // below 256
	}
	return Block{netip.AddrFrom4(from), netip.AddrFrom4(to)}
}

// groups6 is how many groups an IPv6 address has.
const groups6 = 8

func beginning6(text string) (blocks []Block) {
	before, after, zeros := strings.Cut(text, "::")
	if !zeros {
		groups, last, ok := groupsOf(text)
		if !ok {
			return nil
		}
		return blocks6(groups, last)
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
		blocks = append(blocks, blocks6(slices.Concat(head, make([]span, count), tail), last)...)
	}
	return blocks
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

// blocks6 returns the addresses that begin with groups and go on with one of last, or anyhow if last is nil.
func blocks6(groups, last []span) (blocks []Block) {
	if last == nil && len(groups) <= groups6 {
		return []Block{block6(groups)}
	}
	if len(groups) >= groups6 {
		return nil
	}
	for _, group := range last {
		blocks = append(blocks, block6(append(slices.Clone(groups), group)))
	}
	return blocks
}

// block6 is block4 for IPv6.
func block6(groups []span) Block {
	var from, to [16]byte
	for i := range groups6 {
		group := span{0, 0xffff}
		if i < len(groups) {
			group = groups[i]
		}
		binary.BigEndian.PutUint16(from[2*i:], group.from)
		binary.BigEndian.PutUint16(to[2*i:], group.to)
	}
	return Block{netip.AddrFrom16(from), netip.AddrFrom16(to)}
}
