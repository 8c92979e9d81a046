package main

import "testing"

// TestGCPercent: garbage takes at most twice what is live, and at most 192 MiB unless that would be very little.
func TestGCPercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: 200, 1 << 20: 200, 96 << 20: 200, 192 << 20: 100, 384 << 20: 50, 1 << 40: 20} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes: %d, want %d", live, got, want)
		}
	}
}
