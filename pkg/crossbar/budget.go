package crossbar

import (
	"slices"
	"sync"

	"junctor/pkg/fault"
)

// Bounds in bytes of what all requests hold in memory at the same time. Each is for everybody, and half of it for
// one account: a customer whose clients are slow leaves room for the others.
const (
	maxSmallBodies = 64 << 20 // bodies of up to unverifiedBody bytes, which anybody may send
	maxLargeBodies = 96 << 20 // bodies above that, and what is made of them while they are decoded
	maxResponses   = 96 << 20 // responses of more than largestBuffer bytes that are not written yet
)

// budget bounds a sum, of bytes or slots. It never waits: a request that gets nothing is refused as Busy.
type budget struct {
	bound, share int64 // share is for one holder

	mu   sync.Mutex
	used int64
	by   map[string]int64 // by holder
}

func newBudget(bound, share int64) *budget {
	return &budget{bound: bound, share: share, by: map[string]int64{}}
}

// take adds n to what a holder has and reports whether they are within the bounds. n may be negative.
func (b *budget) take(holder string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > 0 && (b.used+n > b.bound || b.by[holder]+n > b.share) {
		return false
	}
	b.used += n
	if b.by[holder] += n; b.by[holder] == 0 {
		delete(b.by, holder)
	}
	return true
}

// total returns what all holders have.
func (b *budget) total() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// holding is what one request has of a budget.
type holding struct {
	of     *budget
	holder string
	n      int64
}

// hold makes r have n of a budget until it ends; 0 gives everything back. Where the budget does not have that much it is
// fault.Busy, and r has what it had.
func (r *Request) hold(of *budget, holder string, n int64) error {
	at := slices.IndexFunc(r.held, func(h holding) bool { return h.of == of && h.holder == holder })
	if at < 0 && n == 0 {
		return nil
	}
	if at < 0 {
		at = len(r.held)
		r.held = append(r.held, holding{of: of, holder: holder})
	}
	if !of.take(holder, n-r.held[at].n) {
		return fault.New(fault.Busy, "")
	}
	r.held[at].n = n
	return nil
}

// release gives back what r has of budgets.
func (r *Request) release() {
	for _, h := range r.held {
		h.of.take(h.holder, -h.n)
	}
}
