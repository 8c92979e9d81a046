package dedicatedip

import (
	"encoding/hex"
	"net/netip"
	"strings"
)

// parse reads an address in any textual form the schema takes. An IPv4-mapped IPv6 address is its IPv4 address.
// Zone ids, brackets, prefixes and leading zeros in a decimal part are no addresses.
func parse(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// Unbracket answers the address in an IPv6 literal as URLs write it, "[::1]"; any other text is answered as is.
func Unbracket(text string) string {
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") && strings.Contains(inner, ":") {
		return strings.TrimSuffix(inner, "]")
	}
	return text
}

// expanded is the key of an address in our view by_address: the sixteen bytes in hex, equal for all spellings.
func expanded(addr netip.Addr) string {
	bytes := addr.As16()
	return hex.EncodeToString(bytes[:])
}

// compareAddresses orders addresses as numbers, IPv4 first, and equal ones by their spelling.
func compareAddresses(a, b string) int {
	x, _ := parse(a)
	y, _ := parse(b)
	if order := x.Compare(y); order != 0 {
		return order
	}
	return strings.Compare(a, b)
}
