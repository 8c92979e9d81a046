package billing

import "sync"

// maxBacklog bounds how many accounts wait. There can be no more calls than accounts, since one call is about all that
// an account has.
const maxBacklog = 10_000

// backlog is the accounts that the hook is to be told of, each once.
type backlog struct {
	wake chan struct{} // there may be something to do

	mu      sync.Mutex
	entries []entry // in the order to be told
	waiting map[string]bool
	dropped uint64
}

// entry is an account that waits.
type entry struct {
	account  string
	attempts int // so far
}

func newBacklog() *backlog {
	return &backlog{wake: make(chan struct{}, 1), waiting: map[string]bool{}}
}

// add adds an account, unless it waits already. It answers false where there is no room.
func (b *backlog) add(account string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting[account] {
		return true
	}
	if len(b.entries) >= maxBacklog {
		b.dropped++
		return false
	}
	b.put(entry{account: account})
	return true
}

func (b *backlog) put(e entry) {
	b.waiting[e.account] = true
	b.entries = append(b.entries, e)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take takes out the account that comes next. What changes from then on takes another call.
func (b *backlog) take() (e entry, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.entries) == 0 {
		return entry{}, false
	}
	e, b.entries = b.entries[0], b.entries[1:]
	delete(b.waiting, e.account)
	return e, true
}

// again puts an account behind all others once more, unless it has changed meanwhile and waits anyway.
func (b *backlog) again(e entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.waiting[e.account] {
		b.put(e)
	}
}

func (b *backlog) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped++
}

func (b *backlog) stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{Waiting: len(b.entries), Dropped: b.dropped}
}
