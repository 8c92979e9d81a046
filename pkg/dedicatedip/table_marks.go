package dedicatedip

import (
	"time"

	"junctor/pkg/document"
)

// mark says which write of a document this process has made, and when it was noted.
type mark struct {
	generation int
	at         time.Time
}

// learn takes in a document as the feed has it. What this process wrote later stays: the feed will come to it.
func (t *table) learn(doc document.Document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own, ok := t.ahead[doc.ID()]; ok {
		if generation(doc.Rev()) < own.generation {
			return
		}
		delete(t.ahead, doc.ID())
	}
	t.replace(doc)
}

// hear takes note that the feed tells of a revision, where the table has that already.
func (t *table) hear(id, rev string) (known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.lookUp(id)
	if at == none || !t.rows.hasRev(at, rev) {
		return false
	}
	delete(t.ahead, id)
	return true
}

// write takes in a document that this process has written, or with "_deleted" removed, before the feed tells.
func (t *table) write(doc document.Document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, written := doc.ID(), generation(doc.Rev())
	known := t.ahead[id].generation
	if at := t.lookUp(id); at != none {
		if t.rows.hasRev(at, doc.Rev()) { // the feed was faster
			return
		}
		known = max(known, t.rows.generation(at))
	}
	if written < known { // two writes of this process came here in the opposite order
		return
	}
	t.ahead[id] = mark{written, time.Now()}
	t.replace(doc)
}

// saw takes in a document as it was read, where the table has an older one. What it does not have may be gone since.
func (t *table) saw(doc document.Document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, read := doc.ID(), generation(doc.Rev())
	if at := t.lookUp(id); at != none && read > max(t.rows.generation(at), t.ahead[id].generation) {
		t.ahead[id] = mark{read, time.Now()}
		t.replace(doc)
	}
}

// unheard answers what was noted before a time and the feed has not told since.
func (t *table) unheard(before time.Time) map[string]mark {
	t.mu.RLock()
	defer t.mu.RUnlock()
	unheard := map[string]mark{}
	for id, m := range t.ahead {
		if m.at.Before(before) {
			unheard[id] = m
		}
	}
	return unheard
}

// correct takes in what the store says of documents, unless they were written again meanwhile.
func (t *table) correct(unheard map[string]mark, docs map[string]document.Document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, m := range unheard {
		if t.ahead[id] != m {
			continue
		}
		delete(t.ahead, id)
		if doc, ok := docs[id]; ok {
			t.replace(doc)
		} else {
			t.replace(document.Document{"_id": id, "_deleted": true})
		}
	}
}
