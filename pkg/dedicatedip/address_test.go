package dedicatedip

import (
	"net/netip"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/schemas"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "::ffff:1.2.3.4": "1.2.3.4", "::1.2.3.4": "::102:304", "2001:DB8::1": "2001:db8::1",
		"01.2.3.4": "", "1.2.3": "", "1.2.3.4/32": "", "+1.2.3.4": "", "fe80::1%eth0": "", "::ffff:1.2.3.4%0": "",
		"[::1]": "", "": "", " ::1": "", "hello": "", "1.2.3.4\n": "",
	} {
		addr, ok := parse(text)
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
		if got := Unbracket(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

var spellings = []string{
	"1.2.3.4", "0.0.0.0", "::", "::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4", "::1.2.3.4",
	"2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "1:2:3:4:5:6:7::", "64:ff9b::1.2.3.4", "fe80::1%eth0", "01.2.3.4",
	"1.2.3.4/32", "[::1]", "[1.2.3.4]", "1:2:3:4:5:6:7:8:9", "hello", "", "1.2.3.4\n", "::ffff:1.2.3.4%1", "١.2.3.4",
}

// TestByAddress: the view that finds legacy spellings runs as JavaScript, and means the same by an address.
func TestByAddress(t *testing.T) {
	t.Parallel()
	s := newSubject(t, storetest.Open(t, "memory:"))
	want := map[string]string{}
	for _, id := range spellings {
		if id == "" {
			continue
		}
		_, err := s.s.Put(t.Context(), Database, document.Document{"_id": id, "pvt_type": documentType})
		s.ok(err)
		if addr, ok := parse(id); ok {
			want[id] = expanded(addr)
		}
	}
	rows := 0
	s.ok(s.s.View(t.Context(), Database, ourDesign, "by_address", store.Query{}, func(row store.Row) error {
		rows++
		var key string
		err := row.Key(&key)
		if key != want[row.ID()] {
			t.Errorf("%q is under %s, want %q", row.ID(), key, want[row.ID()])
		}
		return err
	}))
	if rows != len(want) {
		t.Errorf("%d rows, want %d", rows, len(want))
	}
}

func FuzzAddress(f *testing.F) {
	for _, a := range spellings {
		f.Add(a, "::ffff:1.2.3.4")
	}
	set, err := schema.Load(schemas.Files)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok := parse(a)
		if valid := set.Validate("ips", list(a)) == nil; valid != ok {
			t.Fatalf("%q: the schema says %t", a, valid)
		}
		if inner := Unbracket(a); inner != a && a != "["+inner+"]" {
			t.Errorf("%q without brackets is %q", a, inner)
		}
		if !ok {
			return
		}
		if again, ok := parse(x.String()); !ok || again != x || again.String() != x.String() {
			t.Errorf("%q in canonical form is %q, which is %v", a, x, again)
		}
		if Unbracket("["+a+"]") != a && strings.Contains(a, ":") {
			t.Errorf("%q does not come out of its brackets", a)
		}
		if netip.AddrFrom16(x.As16()).Unmap() != x || len(expanded(x)) != 32 {
			t.Errorf("%q expands to %s", a, expanded(x))
		}
		if y, ok := parse(b); ok && (x == y) != (expanded(x) == expanded(y)) || ok && (x == y) != (x.String() == y.String()) {
			t.Errorf("%q and %q: %s and %s", a, b, expanded(x), expanded(y))
		}
	})
}
