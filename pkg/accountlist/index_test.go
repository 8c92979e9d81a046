package accountlist

import (
	"fmt"
	"runtime"
	"testing"

	"junctor/pkg/document"
)

// TestIndexSize bounds the memory of an account. It is not parallel, since it would measure other tests, too.
func TestIndexSize(t *testing.T) {
	const count, most = 30_000, 450
	x, before := newIndex(), heapBytes()
	for n := range count {
		x.Apply(document.Document{"_id": fmt.Sprintf("%032x", n), "_rev": fmt.Sprintf("1-%032x", n), "pvt_type": "account",
			"name": fmt.Sprintf("Customer %d, Ltd.", n), "realm": fmt.Sprintf("customer%d.sip.example.com", n)})
	}
	if each := (heapBytes() - before) / count; each > most {
		t.Errorf("an account takes %d bytes, want %d at most", each, most)
	} else {
		t.Logf("an account takes %d bytes", each)
	}
	runtime.KeepAlive(x)
}

// heapBytes returns how many bytes are in use.
func heapBytes() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
