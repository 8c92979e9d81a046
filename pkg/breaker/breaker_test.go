package breaker_test

import (
	"testing"
	"time"

	"junctor/pkg/breaker"
)

var start = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// allowed counts the calls that are let through of ten at once. None of them is reported.
func allowed(b *breaker.Breaker, now time.Time) (calls []breaker.Call) {
	for range 10 {
		if call, ok := b.Allow(now); ok {
			calls = append(calls, call)
		}
	}
	return calls
}

// TestBreaker: an open breaker lets one probe through after each wait, and the probe alone decides.
func TestBreaker(t *testing.T) {
	t.Parallel()
	b := breaker.New(3, time.Second)
	before := allowed(b, start)
	before[0].Failed(start)
	before[1].Failed(start)
	before[2].Succeeded() // failures count in a row
	before[3].Failed(start)
	before[4].Failed(start)
	if n := len(allowed(b, start)); n != 10 {
		t.Fatalf("%d calls before it opens", n)
	}
	before[5].Failed(start)
	before[6].Succeeded() // began when it was closed
	for at := start; at.Before(start.Add(time.Second)); at = at.Add(100 * time.Millisecond) {
		if n := len(allowed(b, at)); n != 0 {
			t.Fatalf("%d calls after it opened", n)
		}
	}
	for _, outcome := range []func(breaker.Call, time.Time){
		func(c breaker.Call, _ time.Time) { c.Abandoned() },
		breaker.Call.Failed,
	} {
		start := start.Add(time.Hour)
		probes := allowed(b, start)
		if len(probes) != 1 {
			t.Fatalf("%d probes", len(probes))
		}
		before[7].Failed(start) // so did this
		outcome(probes[0], start.Add(-time.Hour))
	}
	if n := len(allowed(b, start.Add(999*time.Millisecond))); n != 0 {
		t.Errorf("%d calls before the wait is over", n)
	}
	probes := allowed(b, start.Add(time.Second))
	if len(probes) != 1 {
		t.Fatalf("%d probes after the wait", len(probes))
	}
	probes[0].Succeeded()
	if n := len(allowed(b, start.Add(time.Second))); n != 10 {
		t.Errorf("%d calls after it closed", n)
	}
}
