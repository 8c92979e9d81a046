package routing

import (
	"fmt"
	"sync"

	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

var raceCases = []testCase{{"32 clusters, one address", oneAddress}}

// oneAddress: of many clusters that want an address at the same time one has it, and the others are refused.
func oneAddress(s *subject) {
	registries := []*Registry{s.Registry, s.registry(s.s, Options{})}
	for round := range 2 {
		address := fmt.Sprintf("in:east:10.0.0.%d", round)
		errs := make([]error, 32)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				id := fmt.Sprintf("c%d-%d", round, i)
				data := body(s, address, fmt.Sprintf("in:own:10.%d.1.%d", round, i))
				_, errs[i] = registries[i%2].Create(s.Context(), id, data, author)
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			testutil.RequireFault(s, err, fault.Invalid)
		}
		if won != 1 {
			s.Errorf("%d clusters won", won)
		}
	}
	s.holds(0, nil)
	if n := len(s.documents()); n != 2 {
		s.Errorf("%d clusters are there", n)
	}
}
