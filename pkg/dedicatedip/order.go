package dedicatedip

import (
	"sort"

	"github.com/tidwall/btree"
)

// order is a set of rows in an order. The zero one is empty, and takes none.
type order struct{ *btree.BTreeG[ref] }

func newOrder(compare func(a, b ref) int) order {
	less := func(a, b ref) bool { return compare(a, b) < 0 }
	return order{btree.NewBTreeGOptions(less, noLocks)}
}

var noLocks = btree.Options{NoLocks: true} // the table has one

// from visits rows in order, from the first that reached says yes of on, until visit says no. Of all after that one
// reached has to say yes, too.
func (o order) from(reached func(ref) bool, visit func(ref) bool) {
	if o.BTreeG == nil {
		return
	}
	first := sort.Search(o.Len(), func(n int) bool {
		at, _ := o.GetAt(n)
		return reached(at)
	})
	if at, ok := o.GetAt(first); ok {
		o.Ascend(at, visit)
	}
}
