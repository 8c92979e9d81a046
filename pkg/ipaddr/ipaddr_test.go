package ipaddr_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/ipaddr"
	"junctor/pkg/schema"
	"junctor/schemas"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "::ffff:1.2.3.4": "1.2.3.4", "::1.2.3.4": "::102:304", "2001:DB8::1": "2001:db8::1",
		"01.2.3.4": "", "1.2.3": "", "1.2.3.4/32": "", "+1.2.3.4": "", "fe80::1%eth0": "", "::ffff:1.2.3.4%0": "",
		"[::1]": "", "": "", " ::1": "", "hello": "", "1.2.3.4\n": "",
	} {
		addr, ok := ipaddr.Parse(text)
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%q: %v, %t, want %q", text, addr, ok, want)
		}
	}
}

func TestUnbracket(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[::1]": "::1", "[2001:DB8::1]": "2001:DB8::1", "[1.2.3.4]": "[1.2.3.4]", "[]": "[]", "[": "[", "::1]": "::1]",
		"[::1": "[::1", "[[::1]]": "[::1]", "": "", "[zones]": "[zones]",
	} {
		if got := ipaddr.Unbracket(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	want := []string{"", "[::1]", "hello", "9.0.0.0", "10.0.0.2", "::ffff:10.0.0.2", "10.0.0.10", "::", "2001:DB8::1",
		"2001:db8::1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, ipaddr.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// FuzzParse checks that the schema takes the same texts, and that equal addresses have equal canonical texts and keys.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"1.2.3.4", "0.0.0.0", "::", "::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4", "::1.2.3.4",
		"2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "1:2:3:4:5:6:7::", "64:ff9b::1.2.3.4", "fe80::1%eth0", "01.2.3.4",
		"1.2.3.4/32", "[::1]", "[1.2.3.4]", "1:2:3:4:5:6:7:8:9", "hello", "", "1.2.3.4\n", "::ffff:1.2.3.4%1", "١.2.3.4",
	} {
		f.Add(text, "::ffff:1.2.3.4")
	}
	set, err := schema.Load(schemas.Files)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok := ipaddr.Parse(a)
		if valid := set.Validate("ips", map[string]any{"ips": []any{a}}) == nil; valid != ok {
			t.Fatalf("%q: the schema says %t", a, valid)
		}
		if inner := ipaddr.Unbracket(a); inner != a && a != "["+inner+"]" {
			t.Errorf("%q without brackets is %q", a, inner)
		}
		if ipaddr.Compare(a, b) != -ipaddr.Compare(b, a) || (ipaddr.Compare(a, b) == 0) != (a == b) {
			t.Errorf("%q and %q compare as %d and %d", a, b, ipaddr.Compare(a, b), ipaddr.Compare(b, a))
		}
		if !ok {
			return
		}
		if again, ok := ipaddr.Parse(x.String()); !ok || again != x || again.String() != x.String() {
			t.Errorf("%q in canonical form is %q, which is %v", a, x, again)
		}
		if ipaddr.Unbracket("["+a+"]") != a && strings.Contains(a, ":") {
			t.Errorf("%q does not come out of its brackets", a)
		}
		if netip.AddrFrom16(x.As16()).Unmap() != x || len(ipaddr.Key(x)) != 32 {
			t.Errorf("%q expands to %s", a, ipaddr.Key(x))
		}
		if y, ok := ipaddr.Parse(b); ok && ((x == y) != (ipaddr.Key(x) == ipaddr.Key(y)) || (x == y) != (x.String() == y.String())) {
			t.Errorf("%q and %q: %s and %s", a, b, ipaddr.Key(x), ipaddr.Key(y))
		}
	})
}
