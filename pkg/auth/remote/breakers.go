package remote

import (
	"sync"
	"time"

	"junctor/pkg/breaker"
)

const (
	// breakAfter is how many questions in a row a cluster may leave unanswered.
	breakAfter = 5
	// breakTime is how long it is then not asked.
	breakTime = 5 * time.Second
)

// breakers holds one for each URL: a cluster that is registered anew elsewhere starts afresh. There are no more of
// them than clusters were ever registered.
type breakers struct {
	mu    sync.Mutex
	byURL map[string]*breaker.Breaker
}

func newBreakers() *breakers { return &breakers{byURL: map[string]*breaker.Breaker{}} }

func (b *breakers) of(url string) *breaker.Breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byURL[url] == nil {
		b.byURL[url] = breaker.New(breakAfter, breakTime)
	}
	return b.byURL[url]
}
