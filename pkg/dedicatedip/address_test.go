package dedicatedip

import (
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

var spellings = []string{
	"1.2.3.4", "0.0.0.0", "::", "::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4", "::1.2.3.4",
	"2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "1:2:3:4:5:6:7::", "64:ff9b::1.2.3.4", "fe80::1%eth0", "01.2.3.4",
	"1.2.3.4/32", "[::1]", "[1.2.3.4]", "1:2:3:4:5:6:7:8:9", "hello", "", "1.2.3.4\n", "::ffff:1.2.3.4%1", "١.2.3.4",
}

// TestByAddress: the view by_address, which is JavaScript, has the same notion of an address as ipaddr.
func TestByAddress(t *testing.T) {
	t.Parallel()
	s := newSubject(t, storetest.Open(t, "memory:"))
	want := map[string]string{}
	for _, id := range spellings {
		if id == "" {
			continue
		}
		s.ok(outcome(s.s.Put(t.Context(), Database, document.Document{"_id": id, "pvt_type": documentType})))
		if addr, ok := ipaddr.Parse(id); ok {
			want[id] = ipaddr.Key(addr)
		}
	}
	rows := 0
	s.ok(s.s.View(t.Context(), Database, pooldb.OurDesign, "by_address", store.Query{}, func(row store.Row) error {
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
