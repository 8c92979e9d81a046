package ipaddr

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseCIDR(t *testing.T) {
	for _, test := range []struct {
		text string
		all  bool
		want string
	}{
		{"192.0.2.0/30", false, "192.0.2.1-192.0.2.2: 2"},
		{"192.0.2.0/30", true, "192.0.2.0-192.0.2.3: 4"},
		{"192.0.2.0/24", false, "192.0.2.1-192.0.2.254: 254"},
		{"192.0.2.0/31", false, "192.0.2.0-192.0.2.1: 2"},
		{"192.0.2.7/32", false, "192.0.2.7-192.0.2.7: 1"},
		{"10.1.0.0/16", false, "10.1.0.1-10.1.255.254: 65534"},
		{"0.0.0.0/0", true, "0.0.0.0-255.255.255.255: 99999"},
		{"::ffff:192.0.2.0/126", false, "192.0.2.1-192.0.2.2: 2"},
		{"2001:db8::/126", false, "2001:db8::-2001:db8::3: 4"},
		{"2001:db8::/64", false, "2001:db8::-2001:db8::ffff:ffff:ffff:ffff: 99999"},
		{"2001:db8::/63", false, "2001:db8::-2001:db8:0:1:ffff:ffff:ffff:ffff: 99999"},
		{"::/0", false, "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff: 99999"},
		{"192.0.2.5/24", false, "has host bits set: the network is 192.0.2.0/24"},
		{"192.0.2.0/33", false, errCIDR.Error()},
		{"192.0.2.0", false, errCIDR.Error()},
		{"192.0.02.0/24", false, errCIDR.Error()},
		{"::ffff:0:0/95", false, errCIDR.Error()},
		{"fe80::%eth0/64", false, errCIDR.Error()},
		{"", false, errCIDR.Error()},
	} {
		b, err := ParseCIDR(test.text, test.all)
		if got := blockText(b, err); got != test.want {
			t.Errorf("%s, %v: %s, want %s", test.text, test.all, got, test.want)
		}
	}
}

func blockText(b Block, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s-%s: %d", b.First, b.Last, b.Size(99999))
}

func TestParseRange(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.10-192.0.2.20":        "192.0.2.10-192.0.2.20: 11",
		" 192.0.2.10 - 192.0.2.20 ":    "192.0.2.10-192.0.2.20: 11",
		"192.0.2.10-192.0.2.10":        "192.0.2.10-192.0.2.10: 1",
		"::ffff:192.0.2.1-192.0.2.2":   "192.0.2.1-192.0.2.2: 2",
		"2001:DB8::1-2001:db8:0::a":    "2001:db8::1-2001:db8::a: 10",
		"192.0.2.20-192.0.2.10":        errOrder.Error(),
		"192.0.2.20-2001:db8::1":       errFamily.Error(),
		"192.0.2.10":                   errRange.Error(),
		"192.0.2.10-20":                errRange.Error(),
		"192.0.2.1-192.0.2.2-10.0.0.1": errRange.Error(),
		"":                             errRange.Error(),
	} {
		b, err := ParseRange(text)
		if got := blockText(b, err); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Addresses ends after the last address, also where no higher one exists, and when its caller breaks off.
func TestBlockAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.254-192.0.3.1":           "192.0.2.254 192.0.2.255 192.0.3.0 192.0.3.1",
		"255.255.255.254-255.255.255.255": "255.255.255.254 255.255.255.255",
	} {
		b, err := ParseRange(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, addr := range slices.Collect(b.Addresses()) {
			got = append(got, addr.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	b, _ := ParseCIDR("::/0", false)
	count := 0
	for range b.Addresses() {
		if count++; count == 3 {
			break
		}
	}
	if count != 3 {
		t.Errorf("%d addresses", count)
	}
}
