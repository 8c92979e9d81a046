package ratelimit

import "time"

// NewSmall returns a Throttle that holds few buckets.
func NewSmall(now func() time.Time, buckets int) *Throttle {
	t := New(now)
	t.tokens, t.attempts = newTables(buckets), newTables(buckets)
	return t
}

// Buckets returns how many buckets of accounts are held for tokens.
func (t *Throttle) Buckets() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tokens.accounts.used.Len()
}
