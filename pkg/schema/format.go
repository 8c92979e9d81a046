package schema

import (
	"net/netip"
	"sync"

	"github.com/xeipuuv/gojsonschema"
)

// registerFormats replaces the library's address formats, which are global to the process. Its own call an
// IPv4-mapped address both IPv4 and IPv6, so that a oneOf of the two refuses it, and take leading zeros.
var registerFormats = sync.OnceFunc(func() {
	gojsonschema.FormatCheckers.Add("ipv4", addressFormat(netip.Addr.Is4))
	gojsonschema.FormatCheckers.Add("ipv6", addressFormat(isPlain6))
})

// addressFormat is a format that takes the addresses of one family. netip reads dotted quads strictly (four
// parts, no leading zeros) and knows neither brackets nor prefix lengths.
type addressFormat func(netip.Addr) bool

// IsFormat reports whether input has the format. As in JSON Schema a format says nothing about what is no string.
func (family addressFormat) IsFormat(input any) bool {
	text, ok := input.(string)
	if !ok {
		return true
	}
	address, err := netip.ParseAddr(text)
	return err == nil && family(address)
}

// isPlain6 takes IPv6 without a zone: a zone means something on one host only.
func isPlain6(address netip.Addr) bool { return address.Is6() && address.Zone() == "" }
