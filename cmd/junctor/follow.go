package main

import (
	"context"
)

// followWrites starts those that tell others what requests have written. They start before the store is prepared: an
// earlier run may have left something to them.
func (s *server) followWrites(f *followers) {
	if s.notices != nil {
		f.run("change notices", s.notices.Run)
	}
	f.run("billing", s.bills.run)
}

// followStore starts those that work on a prepared store.
func (s *server) followStore(f *followers) {
	f.run("pool", func(ctx context.Context) { s.pool.Follow(ctx, s.maxStaleness) })
	f.run("projector", s.pool.RunProjector)
	f.run("reconciler", s.healer.Run)
	f.run("routing", s.routing.Follow)
	f.run("repairs", s.repair)
}
