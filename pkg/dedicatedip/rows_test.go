package dedicatedip

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/ipaddr"
)

// TestRows: whatever is packed comes out as it went in, also where another row has had its place.
func TestRows(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0123456789abcdef", 2)
	ids := []string{"10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "2001:DB8::1", "2001:0db8::1",
		"::ffff:10.0.0.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "text", ""}
	revs := []string{"1-" + hash, "4294967295-" + hash, "4294967296-" + hash, "01-" + hash, "0-" + hash, "+1-" + hash,
		"1-" + strings.ToUpper(hash), "1-" + hash + "0", "1-" + hash[1:], "1-" + hash[1:] + "g", "1-", "1", ""}
	r := newRows()
	kept := map[ref]entry{}
	for n := range 3 * len(ids) * len(revs) {
		e := entry{id: ids[n%len(ids)], rev: revs[n%len(revs)], zone: "z" + strconv.Itoa(n%7), host: strconv.Itoa(n % 11),
			status: available, holder: strconv.Itoa(n % 3)}
		e.addr, _ = ipaddr.Parse(e.id)
		at := r.put(e)
		if _, taken := kept[at]; taken || at == none {
			t.Fatalf("%d is put in place of another, at %d", n, at)
		}
		kept[at] = e
		if n%3 == 2 {
			for old := range kept {
				r.drop(old)
				delete(kept, old)
				break
			}
		}
	}
	for at, want := range kept {
		if got := r.entry(at); got != want {
			t.Errorf("%+v came out as %+v", want, got)
		}
		for _, rev := range revs {
			if r.hasRev(at, rev) != (rev == want.rev) {
				t.Errorf("%+v has %q: %v", want, rev, r.hasRev(at, rev))
			}
		}
		if r.generation(at) != generation(want.rev) {
			t.Errorf("%+v is of generation %d", want, r.generation(at))
		}
		r.drop(at)
	}
	if len(r.ids)+len(r.revs)+len(r.words.numbers) > 0 {
		t.Errorf("left over: %v, %v, %v", r.ids, r.revs, r.words.numbers)
	}
}

// TestLongListings: a listing that is read in several runs has every row, once and in order.
func TestLongListings(t *testing.T) {
	t.Parallel()
	const count = 2*longestRun + 7
	table := newTable()
	var available, held, all []string
	for n := range 3 * count {
		doc := document.Document{"_id": fmt.Sprintf("10.0.%d.%d", n/256, n%256), "_rev": "1-", "pvt_type": documentType,
			"pvt_zone": "z", "pvt_host": "h", "pvt_status": "assigned"}
		switch n % 3 {
		case 0:
			doc["pvt_status"] = "available"
			available = append(available, doc.ID())
		case 1:
			doc["pvt_assigned_to"] = accountA
			held = append(held, doc.ID())
			fallthrough
		default:
			all = append(all, doc.ID())
		}
		table.learn(doc)
	}
	slices.Sort(available)
	slices.SortFunc(held, ipaddr.Compare)
	slices.SortFunc(all, ipaddr.Compare)
	is := func(what string, list []Item, want []string) {
		t.Helper()
		got := make([]string, len(list))
		for i, item := range list {
			got[i] = item.IP
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		}
	}
	list, _ := table.assignedTo(accountA)
	is("held", list, held)
	is("assigned", table.allAssigned(), all)
	list, next := table.free("", nil, 0)
	is("available", list, available)
	if next != nil {
		t.Errorf("after everything comes %v", next)
	}
	list, next = table.free("z", nil, 2*longestRun)
	is("first page", list, available[:2*longestRun])
	list, next = table.free("z", next, longestRun)
	is("last page", list, available[2*longestRun:])
	if next != nil {
		t.Errorf("after the last page comes %v", next)
	}
}

// TestTableSize: an address takes about a hundred bytes, and nothing stays of those that are gone.
func TestTableSize(t *testing.T) {
	const count, most = 30_000, 140
	table, before := newTable(), heap()
	fill := func(deleted bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range count {
			table.learn(document.Document{"_id": fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255),
				"_rev": fmt.Sprintf("1-%016x%016x", r.Uint64(), r.Uint64()), "pvt_type": documentType,
				"pvt_zone": "zone" + strconv.Itoa(n%5), "pvt_host": "host" + strconv.Itoa(n%50),
				"pvt_status": []string{available, assigned}[n%2], "pvt_assigned_to": accountA, "_deleted": deleted})
		}
	}
	fill(false)
	if each := (heap() - before) / count; each > most {
		t.Errorf("an address takes %d bytes, want %d at most", each, most)
	} else {
		t.Logf("an address takes %d bytes", each)
	}
	fill(true)
	if table.length() > 0 || len(table.addresses)+len(table.rows.words.numbers)+table.assigned.Len() > 0 {
		t.Errorf("%d left", table.length())
	}
	fill(false)
	if each := (heap() - before) / count; each > most {
		t.Errorf("after all was removed and put back, an address takes %d bytes, want %d at most", each, most)
	}
	runtime.KeepAlive(table)
}

// heap answers how many bytes are in use.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
