package kazoocluster

import (
	"sync"
	"time"
)

// maxAge is how long a registration is believed without another look, and so how long another process's removal
// of one may go unnoticed.
const maxAge = 10 * time.Second

// recent remembers clusters that were found; there are few. That one was not found is not remembered, so that a
// new one counts at once.
type recent struct {
	mu       sync.Mutex
	clusters map[string]reading
	changes  int // of this process
}

type reading struct {
	cluster Cluster
	at      time.Time
}

func newRecent() *recent { return &recent{clusters: map[string]reading{}} }

func (r *recent) get(id string, now time.Time) (Cluster, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.clusters[id]
	return known.cluster, ok && now.Sub(known.at) < maxAge
}

// version numbers the state of the registrations as far as this process changes them.
func (r *recent) version() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

// remember keeps what was read after version was asked for, unless it was changed meanwhile.
func (r *recent) remember(c Cluster, at time.Time, version int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes == version {
		r.clusters[c.ID] = reading{cluster: c, at: at}
	}
}

// forget is called after a change.
func (r *recent) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	delete(r.clusters, id)
}
