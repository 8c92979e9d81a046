package ipaddr_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/ipaddr"
)

func TestBeginning(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"192.0.2.":       "192.0.2.0-192.0.2.255",
		"192.0.2":        "192.0.2.0-192.0.2.255 192.0.20.0-192.0.29.255 192.0.200.0-192.0.255.255",
		"192.0.2.1":      "192.0.2.1-192.0.2.1 192.0.2.10-192.0.2.19 192.0.2.100-192.0.2.199",
		"192.0.2.0":      "192.0.2.0-192.0.2.0",
		"10.":            "10.0.0.0-10.255.255.255",
		"::ffff:10.1.2.": "10.1.2.0-10.1.2.255",
		"2001:DB8:":      "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"[2001:db8:":     "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:0d":        "2001:d00::-2001:dff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db8::":     "2001:db8::-2001:db8:0:ffff:ffff:ffff:ffff:ffff",
		"1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8-1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:80-1:2:3:4:5:6:7:8f " +
			"1:2:3:4:5:6:7:800-1:2:3:4:5:6:7:8ff 1:2:3:4:5:6:7:8000-1:2:3:4:5:6:7:8fff",
		"fe80::1%x:": "", "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0-1:2:3:4:5:6:7:0",
		"1:2:3:4:5:6:7:8:": "", "1::2:3:4:5:6:7:8": "", "": "", ":": "::-0:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ":1": "", ":::": "", "1::2::": "", "256.": "", "01.2": "",
		"1.2.3.4.": "", "1..": "", "+1.": "", "proxy": "", "12345:": "", "g": "", "1.2.3.4/": "", "1:2:3:4:5:6:7::8": "",
	} {
		var got []string
		for _, r := range ipaddr.Beginning(text) {
			got = append(got, fmt.Sprint(r.First, "-", r.Last))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestBeginningOfSpellings compares Beginning with the spellings of random addresses, many of whose parts are alike.
func TestBeginningOfSpellings(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	addresses := make([]netip.Addr, 25)
	texts := map[string]bool{}
	for i := range addresses {
		addresses[i] = randomAddress(r)
		for _, parts := range spellings(addresses[i]) {
			text := ""
			for _, options := range parts {
				text += options[r.IntN(len(options))]
			}
			for end := range len(text) {
				texts[text[:end+1]] = true
			}
		}
	}
	for text := range texts {
		blocks := ipaddr.Beginning(text)
		for _, addr := range addresses {
			got := slices.ContainsFunc(blocks, func(r ipaddr.Block) bool { return r.Contains(addr) })
			want := slices.ContainsFunc(spellings(addr), func(parts [][]string) bool { return begins(parts, text) })
			if got != want {
				t.Fatalf("%q of %s: %t, want %t", text, addr, got, want)
			}
		}
		for i := range blocks[1:] {
			if blocks[i].Last.Compare(blocks[i+1].First) >= 0 {
				t.Fatalf("%q: blocks overlap or are not in order: %v", text, blocks)
			}
		}
	}
}

func randomAddress(r *rand.Rand) netip.Addr {
	if r.IntN(3) == 0 {
		return netip.AddrFrom4([4]byte{byte(r.IntN(3)), byte(r.IntN(256)), byte(r.IntN(20)), byte(r.IntN(256))})
	}
	var bytes [16]byte
	for i := range 8 {
		group := []int{0, 0, 0, 1, 0x10, 0xdb8, r.IntN(0x10000)}[r.IntN(7)]
		bytes[2*i], bytes[2*i+1] = byte(group>>8), byte(group)
	}
	return netip.AddrFrom16(bytes).Unmap()
}

// spellings returns how an address can be written, each as a list of parts with the ways to write the part.
func spellings(addr netip.Addr) (list [][][]string) {
	if addr.Is4() {
		return [][][]string{{{addr.String()}}}
	}
	var groups [][]string
	for _, full := range strings.Split(addr.StringExpanded(), ":") {
		short := strings.TrimLeft(full[:3], "0") + full[3:]
		if short != full {
			groups = append(groups, []string{short, full})
		} else {
			groups = append(groups, []string{full})
		}
	}
	list = append(list, joined(groups))
	for from := range groups {
		for to := from + 1; to <= len(groups) && groups[to-1][0] == "0"; to++ {
			list = append(list, slices.Concat(joined(groups[:from]), [][]string{{"::"}}, joined(groups[to:])))
		}
	}
	return list
}

func joined(groups [][]string) (parts [][]string) {
	for i, group := range groups {
		if i > 0 {
			parts = append(parts, []string{":"})
		}
		parts = append(parts, group)
	}
	return parts
}

// begins reports whether a spelling begins with text.
func begins(parts [][]string, text string) bool {
	if text == "" {
		return true
	}
	return len(parts) > 0 && slices.ContainsFunc(parts[0], func(part string) bool {
		rest, ok := strings.CutPrefix(text, part)
		return strings.HasPrefix(part, text) || ok && begins(parts[1:], rest)
	})
}
