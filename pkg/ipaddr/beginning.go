package ipaddr

import (
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
	blocks := append(ipv4.begin(strings.Split(text, ".")), beginning6(text)...)
	if dotted, ok := strings.CutPrefix(text, "::ffff:"); ok && strings.Contains(dotted, ".") {
		blocks = append(blocks, ipv4.begin(strings.Split(dotted, "."))...)
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

// beginning6 is Beginning for IPv6.
func beginning6(text string) (blocks []Block) {
	head, tail, compressed := strings.Cut(text, "::")
	if !compressed {
		return ipv6.begin(strings.Split(text, ":"))
	}
	var groups []string
	if head != "" {
		groups = strings.Split(head, ":")
	}
	if tail == "" { // one group of zeros at least, and then any
		return ipv6.blocks(groups, span{0, 0})
	}
	for range ipv6.parts {
		groups = append(groups, "0")
		blocks = append(blocks, ipv6.begin(slices.Concat(groups, strings.Split(tail, ":")))...)
	}
	return blocks
}

// notation is how the addresses of a family are written.
type notation struct {
	separator   string
	parts, base int
	most        int // the highest value of a part
}

var (
	ipv4 = notation{".", 4, 10, 255}
	ipv6 = notation{":", 8, 16, 0xffff}
)

// span is the values from one to another, both included, of a part of an address.
type span struct{ from, to int }

// begin returns the addresses that begin with parts, of which the last may not be complete.
func (n notation) begin(parts []string) []Block {
	last := len(parts) - 1
	return n.blocks(parts[:last], n.spans(parts[last])...)
}

// blocks returns the addresses that begin with known parts and go on with a value of one of the spans.
func (n notation) blocks(known []string, spans ...span) (blocks []Block) {
	if slices.Contains(known, "") {
		return nil
	}
	for _, s := range spans {
		first, ok := n.address(known, s.from, 0)
		last, too := n.address(known, s.to, n.most)
		if ok && too {
			blocks = append(blocks, Block{first, last})
		}
	}
	return blocks
}

// address returns the address of known parts, the value of the next one, and that of all others. ok is false if that is
// no address in this notation, as if there are too many parts.
func (n notation) address(known []string, next, others int) (addr netip.Addr, ok bool) {
	parts := append(slices.Clone(known), strconv.FormatInt(int64(next), n.base))
	for len(parts) < n.parts {
		parts = append(parts, strconv.FormatInt(int64(others), n.base))
	}
	addr, err := netip.ParseAddr(strings.Join(parts, n.separator))
	return addr, err == nil && addr.Zone() == "" && addr.Is4() == (n == ipv4)
}

// spans returns the values whose text begins with digits: without leading zeros, and in IPv6 also with as many as fill a
// group.
func (n notation) spans(digits string) (list []span) {
	value, err := strconv.ParseUint(digits, n.base, 16)
	switch {
	case digits == "":
		return []span{{0, n.most}}
	case err != nil || int(value) > n.most:
		return nil
	case digits[0] != '0':
		for from, to := int(value), int(value); from <= n.most; from, to = from*n.base, to*n.base+n.base-1 {
			list = append(list, span{from, min(to, n.most)})
		}
		return list
	case n == ipv6 && len(digits) <= 4:
		missing := 4 * (4 - len(digits))
		return []span{{int(value) << missing, int(value+1)<<missing - 1}}
	case digits == "0":
		return []span{{0, 0}}
	}
	return nil
}
