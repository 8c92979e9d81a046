package accountlist

import (
	"fmt"
	"runtime"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/testutil"
)

// TestIndexSize bounds the memory of an account. It is not parallel, since it would measure other tests, too.
func TestIndexSize(t *testing.T) {
	const count, most = 30_000, 450
	x, before := newIndex(), testutil.HeapBytes()
	for n := range count {
		x.Apply(document.Document{"_id": fmt.Sprintf("%032x", n), "_rev": fmt.Sprintf("1-%032x", n), "pvt_type": "account",
			"name": fmt.Sprintf("Customer %d, Ltd.", n), "realm": fmt.Sprintf("customer%d.sip.example.com", n)})
	}
	if each := (testutil.HeapBytes() - before) / count; each > most {
		t.Errorf("an account takes %d bytes, want %d at most", each, most)
	} else {
		t.Logf("an account takes %d bytes", each)
	}
	runtime.KeepAlive(x)
}
