package throttle

import (
	"container/list"
	"time"

	"golang.org/x/time/rate"
)

// buckets keeps those that were used lately, and forgets the others on the way.
type buckets struct {
	max       int
	burst     int
	perSecond rate.Limit

	byKey map[key]*list.Element
	order *list.List // of *entry, last used first
}

type entry struct {
	key  key
	used time.Time
	bucket
}

func newBuckets(limit, burst int, perSecond rate.Limit) *buckets {
	return &buckets{max: limit, burst: burst, perSecond: perSecond, byKey: map[key]*list.Element{}, order: list.New()}
}

// get answers the bucket of a key, a full one where there is none.
func (b *buckets) get(k key, now time.Time) *bucket {
	element, ok := b.byKey[k]
	if !ok {
		b.forget(now)
		element = b.order.PushFront(&entry{key: k, bucket: bucket{failures: rate.NewLimiter(b.perSecond, b.burst)}})
		b.byKey[k] = element
	}
	b.order.MoveToFront(element)
	e := element.Value.(*entry)
	e.used = now
	return &e.bucket
}

// forget drops the buckets that are full again, and makes room for one more.
func (b *buckets) forget(now time.Time) {
	for oldest := b.order.Back(); oldest != nil; oldest = b.order.Back() {
		e := oldest.Value.(*entry)
		if b.order.Len() < b.max && now.Sub(e.used) < keepTime {
			return
		}
		b.order.Remove(oldest)
		delete(b.byKey, e.key)
	}
}
