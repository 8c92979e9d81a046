package throttle

import "time"

// NewSmall answers a Throttle that holds few buckets.
func NewSmall(now func() time.Time, buckets int) *Throttle {
	t := New(now)
	t.buckets = newBuckets(buckets)
	return t
}

// Buckets answers how many buckets are held.
func (t *Throttle) Buckets() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buckets.byKey) != t.buckets.order.Len() {
		return -1
	}
	return t.buckets.order.Len()
}
