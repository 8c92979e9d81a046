package cluster

import (
	"strconv"
	"strings"
	"time"

	"junctor/pkg/document"
)

// Read-your-writes: a write of this process is in the index when its call returns, and is pending until the feed has
// delivered that revision or a later one. Until then older revisions from the feed are ignored. A feed may never deliver
// it: because the document was written again or removed at once, or because the write lost a conflict. So writes that
// are still pending when the feed has delivered everything up to a later time are read again, and the store decides.

// pendingWrite is a write of this process that the feed has not delivered yet.
type pendingWrite struct {
	generation int
	at         time.Time
}

// applyWrite applies a document that this process has written.
func (x *index) applyWrite(doc document.Document) {
	e := newEntry(doc)
	x.mu.Lock()
	defer x.mu.Unlock()
	id, written := doc.ID(), generation(doc.Rev())
	if known := x.clusters[id]; known != nil && (known.rev == doc.Rev() || generation(known.rev) > written) {
		return // the feed was faster
	}
	x.pending[id] = pendingWrite{written, time.Now()}
	x.put(id, e)
}

// applyChange applies a document that the feed delivers.
func (x *index) applyChange(doc document.Document) {
	e := newEntry(doc)
	x.mu.Lock()
	defer x.mu.Unlock()
	id := doc.ID()
	if own, ok := x.pending[id]; ok {
		if generation(doc.Rev()) < own.generation {
			return
		}
		delete(x.pending, id)
	}
	x.put(id, e)
}

// overdue returns the writes that are pending since before a time.
func (x *index) overdue(before time.Time) map[string]pendingWrite {
	x.mu.RLock()
	defer x.mu.RUnlock()
	overdue := map[string]pendingWrite{}
	for id, own := range x.pending {
		if own.at.Before(before) {
			overdue[id] = own
		}
	}
	return overdue
}

// correct applies what was read of overdue writes, unless this process has written again meanwhile. A document that
// is missing in docs does not exist.
func (x *index) correct(overdue map[string]pendingWrite, docs map[string]document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, own := range overdue {
		if x.pending[id] == own {
			delete(x.pending, id)
			x.put(id, newEntry(docs[id]))
		}
	}
}

// reload replaces everything by what a reading that began at a time has found. Later writes of this process stay.
func (x *index) reload(began time.Time, found []*entry) {
	fresh := newIndex()
	for _, e := range found {
		fresh.put(e.id, e)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, own := range x.pending {
		if !own.at.Before(began) {
			fresh.pending[id] = own
			fresh.put(id, x.clusters[id])
		}
	}
	x.clusters, x.holders, x.pending, x.loaded = fresh.clusters, fresh.holders, fresh.pending, true
}

// generation returns the number a revision begins with.
func generation(rev string) int {
	number, _, _ := strings.Cut(rev, "-")
	n, _ := strconv.Atoi(number)
	return n
}
