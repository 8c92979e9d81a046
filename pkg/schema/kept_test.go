package schema

import (
	"testing"
	"time"
)

// TestKept: what is remembered never grows beyond the bound, and what was put last is there.
func TestKept(t *testing.T) {
	t.Parallel()
	var k kept[int]
	for i := range 100 {
		id := string(rune('a' + i%7))
		length := maxKept / (1 + i%5)
		k.put(id, i, length, time.Time{})
		if got, _, ok := k.get(id); !ok || got != i {
			t.Errorf("%d: got %d, %t", i, got, ok)
		}
		held := 0
		for _, each := range k.things {
			held += each.length
		}
		if held != k.length || held > maxKept {
			t.Errorf("%d: holds %d, says %d", i, held, k.length)
		}
	}
	k.put("a", 1, maxKept+1, time.Time{})
	if _, _, ok := k.get("a"); ok {
		t.Error("remembers what is too long")
	}
}
