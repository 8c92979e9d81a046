package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A heap of a few megabytes is collected dozens of times a second with GOGC=100, which takes a seventh of the processor
// time of a read. So garbage may take twice what is live, at least leastGarbage and at most mostGarbage.
const (
	leastGarbage   = 64 << 20  // bytes
	mostGarbage    = 128 << 20 // bytes
	leastGCPercent = 20
	mostGCPercent  = 1000
)

// tuneGC keeps GOGC at gcPercent of what is live, until ctx ends.
func tuneGC(ctx context.Context) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := 0; ; {
		metrics.Read(live)
		if percent := gcPercent(live[0].Value.Uint64()); percent != last { // setting it stops the world
			debug.SetGCPercent(percent)
			last = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// gcPercent returns GOGC for a heap of which so many bytes are live.
func gcPercent(live uint64) int {
	garbage := min(max(2*live, leastGarbage), mostGarbage)
	return int(min(max(garbage*100/max(live, 1), leastGCPercent), mostGCPercent))
}
