package reservation

import (
	"fmt"
	"sync"
	"testing"

	"junctor/pkg/poolindex"
)

func lotOf(zone string, length int) poolindex.Lot {
	return poolindex.Lot{Zone: zone, Length: length, ID: func(at int) string { return fmt.Sprint(zone, at) }}
}

// TestDrawConcurrently: no address is drawn twice until it is freed.
func TestDrawConcurrently(t *testing.T) {
	t.Parallel()
	var s Set
	draws := make([][]poolindex.Spot, 8)
	var all sync.WaitGroup
	for i := range draws {
		all.Go(func() { draws[i] = s.Draw([]poolindex.Lot{lotOf("a", 20), lotOf("b", 30)}, 10, nil) })
	}
	all.Wait()
	drawn := map[poolindex.Spot]int{}
	for _, spots := range draws {
		for _, spot := range spots {
			drawn[spot]++
		}
	}
	if len(drawn) != 50 || s.Len() != 50 {
		t.Errorf("%d of 50 addresses are drawn, %d reserved", len(drawn), s.Len())
	}
	for spot, n := range drawn {
		if n != 1 {
			t.Errorf("%v is drawn %d times", spot, n)
		}
	}
	for _, spots := range draws {
		s.Free(spots)
	}
	if again := s.Draw([]poolindex.Lot{lotOf("a", 20)}, 30, nil); len(again) != 20 {
		t.Errorf("%d addresses are drawn again", len(again))
	}
}
