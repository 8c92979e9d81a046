// Package backoff computes the pauses between attempts at something that fails: exponential, with jitter and a cap. It
// is the only implementation of that here. It does not retry by itself: what may be tried again, and how often, is
// known where the attempt is made.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff yields the pauses of one series of attempts. It is not safe for concurrent use.
type Backoff struct {
	first, last time.Duration
	next        time.Duration
}

// New returns a Backoff whose pauses begin at first and double up to last.
func New(first, last time.Duration) *Backoff {
	return &Backoff{first: first, last: last, next: first}
}

// Next returns how long to pause before the next attempt. Between half and all of the nominal pause is left to chance,
// so that several who failed at once do not try again at once.
func (b *Backoff) Next() time.Duration {
	nominal := b.next
	b.next = min(2*b.next, b.last)
	return nominal/2 + rand.N(nominal/2+1)
}

// Reset begins anew after a success.
func (b *Backoff) Reset() { b.next = b.first }

// Wait pauses before the next attempt. It returns early, with the cause, when ctx ends.
func (b *Backoff) Wait(ctx context.Context) error { return Sleep(ctx, b.Next()) }

// Sleep pauses for d, or until ctx ends, whose cause it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
