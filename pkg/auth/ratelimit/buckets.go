package ratelimit

import (
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// buckets are those that were used lately, up to a number.
type buckets struct {
	burst     int
	perSecond rate.Limit
	used      *simplelru.LRU[key, *bucket]
}

func newBuckets(limit, burst int, perSecond rate.Limit) *buckets {
	used, _ := simplelru.NewLRU[key, *bucket](limit, nil) // fails for limits below 1 only
	return &buckets{burst: burst, perSecond: perSecond, used: used}
}

// get returns the bucket of a key, a full one if there is none.
func (b *buckets) get(k key, now time.Time) *bucket {
	found, ok := b.used.Get(k)
	if !ok {
		b.dropFull(now)
		found = &bucket{failures: rate.NewLimiter(b.perSecond, b.burst)}
		b.used.Add(k, found)
	}
	found.used = now
	return found
}

// dropFull drops buckets that are full again.
func (b *buckets) dropFull(now time.Time) {
	for {
		_, oldest, ok := b.used.GetOldest()
		if !ok || now.Sub(oldest.used) < keepTime {
			return
		}
		b.used.RemoveOldest()
	}
}
