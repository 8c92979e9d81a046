package testutil

import "runtime"

// HeapBytes collects garbage, and returns how many bytes of the heap are in use.
func HeapBytes() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools have freed
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
