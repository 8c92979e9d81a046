// Package ipaddr says what is an IP address or a block of them, and when two texts mean the same one.
//
// Invariant: two texts are equal addresses if and only if Parse returns equal values for them, and then their
// canonical text (netip.Addr.String) and their Key are equal, too.
package ipaddr

import (
	"encoding/hex"
	"net/netip"
	"strings"
)

// Parse reads an address in any spelling of RFC 4291 and reports whether text is one. An IPv4-mapped IPv6 address is
// its IPv4 address. Zone ids, brackets, prefix lengths and leading zeros in a decimal part are refused. String of the
// result is the canonical spelling (RFC 5952).
func Parse(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// Unbracket returns the address in an IPv6 literal as URLs write it, "[::1]". It returns any other text unchanged.
func Unbracket(text string) string {
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") && strings.Contains(inner, ":") {
		return strings.TrimSuffix(inner, "]")
	}
	return text
}

// Key returns the 16 bytes of an address in hex, IPv4 as IPv4-mapped IPv6. The view by_address uses the same keys.
func Key(addr netip.Addr) string {
	bytes := addr.As16()
	return hex.EncodeToString(bytes[:])
}

// KeyOf is Key for a text. The key of one that is no address is the text.
func KeyOf(text string) string {
	if addr, ok := Parse(text); ok {
		return Key(addr)
	}
	return text
}

// Compare orders texts: what is no address first, then addresses as numbers, IPv4 before IPv6. Equal addresses, and
// texts that are none, are ordered as text.
func Compare(a, b string) int {
	x, _ := Parse(a)
	y, _ := Parse(b)
	if order := x.Compare(y); order != 0 {
		return order
	}
	return strings.Compare(a, b)
}
