package ipbatch

import (
	"slices"
	"strings"
	"testing"
)

// TestExpandTooMany: an entry that the bound has no room for is refused, and smaller ones after it are not.
func TestExpandTooMany(t *testing.T) {
	t.Parallel()
	const most = 20_000
	var entries []Entry
	for _, text := range []string{"10.0.0.0/16", "10.1.0.0/18", "10.2.0.0/18", "2001:db8::/64"} {
		entries = append(entries, Entry{CIDR: text, Zone: "z1", Host: "h1"})
	}
	entries = append(entries, Entry{Range: "10.3.0.1-10.3.14.34", Zone: "z1", Host: "h1"},
		Entry{IP: "10.4.0.0", Zone: "z1", Host: "h1"}, Entry{IP: "10.1.0.1", Zone: "z1", Host: "h1"})
	x := Expand(entries, most)
	if len(x.Addresses) != most { // a /18 has 16,382
		t.Errorf("%d addresses", len(x.Addresses))
	}
	var refused []string
	for entry, codes := range x.Refused {
		for code := range codes {
			refused = append(refused, entry+" "+code)
		}
	}
	slices.Sort(refused)
	if got := strings.Join(refused, ", "); got != "0 too_many, 2 too_many, 3 too_many, 5 too_many, 6 too_many" {
		t.Errorf("refused %s", got)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	entries := []Entry{{IP: "10.0.0.1"}, {IP: "x"}, {CIDR: "10.0.0.0/29"}, {Range: "10.0.0.1-10.0.0.2"}}
	if n := Size(entries, 100); n != 9 {
		t.Errorf("%d addresses", n)
	}
	if n := Size(append(entries, Entry{CIDR: "2001:db8::/32"}), 100); n != 100 {
		t.Errorf("%d addresses of at most 100", n)
	}
}
