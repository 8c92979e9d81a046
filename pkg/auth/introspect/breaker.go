package introspect

import (
	"sync"
	"time"
)

const (
	// breakAfter is how many questions in a row a cluster may leave unanswered.
	breakAfter = 5
	// breakTime is how long it is then not asked.
	breakTime = 5 * time.Second
)

// breaker spares callers the wait for a cluster that does not answer: after some silences in a row it refuses for a
// while, then lets one question through, and whether that is answered decides.
type breaker struct {
	mu        sync.Mutex
	silences  int       // in a row
	openUntil time.Time // counts once there were enough silences
	probing   bool      // a question is under way that decides
}

// allow reports whether the cluster may be asked. Who was allowed to has to report.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silences < breakAfter {
		return true
	}
	if b.probing || now.Before(b.openUntil) {
		return false
	}
	b.probing = true
	return true
}

// report says whether there was an answer, be it yes or no.
func (b *breaker) report(answered bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if answered {
		b.silences = 0
		return
	}
	b.silences++
	b.openUntil = now.Add(breakTime)
}

// breakers holds one for each URL: a cluster that is registered anew elsewhere starts afresh. There are no more of
// them than clusters were ever registered.
type breakers struct {
	mu    sync.Mutex
	byURL map[string]*breaker
}

func newBreakers() *breakers { return &breakers{byURL: map[string]*breaker{}} }

func (b *breakers) of(url string) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byURL[url] == nil {
		b.byURL[url] = &breaker{}
	}
	return b.byURL[url]
}
