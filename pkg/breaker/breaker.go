// Package breaker is a circuit breaker: it refuses calls to a service that does not respond, except for one probe at a
// time. It is the only implementation of that here. It makes no calls by itself: the next call that is due is the probe.
package breaker

import (
	"sync"
	"time"
)

// Breaker is closed, and lets all calls through, until calls have failed a number of times in a row. Then it is open:
// after a wait one call is let through, and its outcome decides. It is safe for concurrent use.
type Breaker struct {
	after int
	wait  time.Duration

	mu       sync.Mutex
	failures int // in a row
	until    time.Time
	probing  bool
}

// New returns a Breaker that opens after so many failures, and then lets a probe through after each wait.
func New(after int, wait time.Duration) *Breaker { return &Breaker{after: after, wait: wait} }

// Call is one call that was let through. Its outcome has to be reported, once.
type Call struct {
	breaker *Breaker
	probe   bool
}

// Allow lets a call through, or reports that the service is not to be called.
func (b *Breaker) Allow(now time.Time) (Call, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < b.after {
		return Call{breaker: b}, true
	}
	if b.probing || now.Before(b.until) {
		return Call{}, false
	}
	b.probing = true
	return Call{b, true}, true
}

// Succeeded closes the breaker.
func (c Call) Succeeded() {
	c.report(func(b *Breaker) { b.failures = 0 })
}

// Failed counts a failure.
func (c Call) Failed(now time.Time) {
	c.report(func(b *Breaker) {
		b.failures++
		b.until = now.Add(b.wait)
	})
}

// Abandoned says that the outcome is not known: the next call is the probe in its place.
func (c Call) Abandoned() { c.report(func(*Breaker) {}) }

// report ignores calls that began before the breaker opened, unless it is closed again.
func (c Call) report(outcome func(*Breaker)) {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.probe {
		b.probing = false
	} else if b.failures >= b.after {
		return
	}
	outcome(b)
}
