package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A heap of a few megabytes is collected dozens of times a second with GOGC=100, which takes a seventh of the processor
// time of a read. So a small heap may grow to three times what is live; a large one, by mostGarbage.
const (
	mostGCPercent  = 200
	leastGCPercent = 20
	mostGarbage    = 192 << 20 // bytes
)

// tuneGC keeps GOGC at gcPercent of what is live, until ctx ends.
func tuneGC(ctx context.Context) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		metrics.Read(live)
		debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// gcPercent returns GOGC for a heap of which so many bytes are live.
func gcPercent(live uint64) int {
	return int(min(max(mostGarbage*100/max(live, 1), leastGCPercent), mostGCPercent))
}
