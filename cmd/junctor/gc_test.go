package main

import "testing"

// TestGCPercent: garbage takes twice what is live, at least 64 MiB and at most 128 MiB, unless that would be very much
// or very little of what is live.
func TestGCPercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{
		0: 1000, 1 << 20: 1000, 16 << 20: 400, 32 << 20: 200, 64 << 20: 200, 128 << 20: 100, 256 << 20: 50, 1 << 40: 20,
	} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes: %d, want %d", live, got, want)
		}
	}
}
