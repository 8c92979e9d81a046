package dedicatedip

import (
	"time"

	"junctor/pkg/document"
)

// Read-your-writes: a write of this process is in the index when its call returns, and is pending until the feed has
// delivered that revision or a later one. Until then older revisions from the feed are ignored. A feed may never deliver
// it: because the document was written again or removed at once, or because the write lost a conflict. So writes that
// are still pending when the feed has delivered everything up to a later time are read again, and the store decides.

// pendingWrite is a write that the feed has not delivered yet.
type pendingWrite struct {
	generation int
	at         time.Time
}

// applyChange applies a document that the feed delivers.
func (x *index) applyChange(doc document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if own, ok := x.pending[doc.ID()]; ok {
		if generation(doc.Rev()) < own.generation {
			return
		}
		delete(x.pending, doc.ID())
	}
	x.replace(doc)
}

// confirm notes that the feed delivers a revision. It reports whether that is the one in the index.
func (x *index) confirm(id, rev string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.byID[id]
	if e == nil || e.rev != rev {
		return false
	}
	delete(x.pending, id)
	return true
}

// applyWrite applies a document that this process has written, or with "_deleted" removed.
func (x *index) applyWrite(doc document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	id, written := doc.ID(), generation(doc.Rev())
	known := x.pending[id].generation
	if e := x.byID[id]; e != nil {
		if e.rev == doc.Rev() { // the feed was faster
			return
		}
		known = max(known, generation(e.rev))
	}
	if written < known { // two writes of this process came here in the opposite order
		return
	}
	x.pending[id] = pendingWrite{written, time.Now()}
	x.replace(doc)
}

// applyRead applies a document that was read if the index has an older one. If the index has none, the document may have
// been removed since.
func (x *index) applyRead(doc document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	id, read := doc.ID(), generation(doc.Rev())
	if e := x.byID[id]; e != nil && read > max(generation(e.rev), x.pending[id].generation) {
		x.pending[id] = pendingWrite{read, time.Now()}
		x.replace(doc)
	}
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

// correct applies what was read of overdue writes, unless this process has written again meanwhile. A document that is
// missing in docs does not exist.
func (x *index) correct(overdue map[string]pendingWrite, docs map[string]document.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, own := range overdue {
		if x.pending[id] != own {
			continue
		}
		delete(x.pending, id)
		if doc, ok := docs[id]; ok {
			x.replace(doc)
		} else {
			x.replace(document.Document{"_id": id, "_deleted": true})
		}
	}
}
