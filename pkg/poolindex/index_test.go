package poolindex

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/testutil"
)

const accountA = "20d27928305e257782655b7896c79f14"

// TestIndexSize bounds the memory of an address, and checks that nothing remains of those that are removed. It is not
// parallel, since it would measure other tests, too.
func TestIndexSize(t *testing.T) {
	const count, most = 30_000, 320
	x, before := New(), testutil.HeapBytes()
	fill := func(deleted bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range count {
			x.Apply(document.Document{"_id": fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255),
				"_rev": fmt.Sprintf("1-%016x%016x", r.Uint64(), r.Uint64()), "pvt_type": kazoo.TypeDedicatedIP,
				"pvt_zone": "zone" + strconv.Itoa(n%5), "pvt_host": "host" + strconv.Itoa(n%50),
				"pvt_status": []string{kazoo.Available, kazoo.Assigned}[n%2], "pvt_assigned_to": accountA, "_deleted": deleted})
		}
	}
	for range 2 {
		fill(false)
		if each := (testutil.HeapBytes() - before) / count; each > most {
			t.Errorf("an address takes %d bytes, want %d at most", each, most)
		} else {
			t.Logf("an address takes %d bytes", each)
		}
		fill(true)
		if n := x.Len() + len(x.spellings) + len(x.statuses) + len(x.accounts) + len(x.zones.byText) +
			x.hosts.ordered.Len() + len(x.counts); n > 0 {
			t.Errorf("%d things are left", n)
		}
	}
	runtime.KeepAlive(x)
}

func idsOf(entries []*Entry) []string {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID()
	}
	return ids
}

// TestReadersBesideWriter: readers of the index see a document before or after a change, whatever they read.
func TestReadersBesideWriter(t *testing.T) {
	t.Parallel()
	x := New()
	doc := func(n int, status string) document.Document {
		d := document.Document{"_id": "10.0.0.1", "_rev": strconv.Itoa(n) + "-", "pvt_type": kazoo.TypeDedicatedIP,
			"pvt_zone": "z", "pvt_host": "h", "pvt_status": status}
		if status == kazoo.Assigned {
			d[kazoo.FieldAssignedTo] = accountA
		}
		return d
	}
	x.Apply(doc(1, kazoo.Available))
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	for range 4 {
		reading.Go(func() {
			for ctx.Err() == nil {
				if found, err := x.Search(t.Context(), Search{}, Position{}, 10); err != nil || len(found.Entries) != 1 {
					t.Errorf("a search finds %d entries, %v", len(found.Entries), err)
					return
				}
				held, free := x.AssignedTo(accountA), x.Zones()
				if items, _ := x.Available("z", nil, 0, math.MaxInt64); len(held) > 1 || len(items) > 1 || len(free) != 1 {
					t.Errorf("%v, %v, %v", held, items, free)
				}
				if e := x.Find("::ffff:10.0.0.1"); e == nil || (e.Status() == kazoo.Assigned) != (e.Holder() == accountA) {
					t.Errorf("found %+v", e)
				}
			}
		})
	}
	for round := range 5000 {
		x.Apply(doc(2*round, kazoo.Assigned))
		x.Apply(doc(2*round+1, kazoo.Available))
		if items := x.AssignedTo(accountA); len(items) > 0 {
			t.Fatalf("round %d: %v", round, items)
		}
	}
}
