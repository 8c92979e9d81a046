package notify

import (
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// subject names a document. The subject of the message about an account's proxies has no id.
type subject struct{ db, id string }

// notice is a message to send about a document.
type notice struct {
	message    message
	subject    subject
	generation int       // of the revision; 0 if it has none
	since      time.Time // when the write began; zero in a replay
	at         time.Time // when it was queued
}

// mark says which revision of a document was queued last.
type mark struct {
	generation int
	at         time.Time
}

// begin prepares the notices of documents that are about to be written.
func (p *Publisher) begin(db string, docs []document.Document, before map[string]document.Document) []*notice {
	notices := make([]*notice, len(docs))
	for i, doc := range docs {
		m := about(p.options.Node, db, doc.ID(), doc, before[doc.ID()], doc.Rev() == "")
		notices[i] = &notice{message: m, subject: subject{db, doc.ID()}, since: time.Now()}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun += len(notices)
	p.inFlight += len(notices)
	p.note(notices)
	return notices
}

// end queues the notices of the documents that were written. A replay queues those of which that is not known, and
// those that there is no room for.
func (p *Publisher) end(notices []*notice, written []store.Written, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight -= len(notices)
	var last *notice
	for i, n := range notices {
		w := store.Written{Err: err}
		if err == nil {
			w = written[i]
		}
		switch {
		case w.Err != nil && refused(w.Err):
		case w.Err != nil:
			p.replayLater(n.subject, time.Now().Add(p.limits.late))
		case len(p.queue) >= p.limits.queue:
			p.replayLater(n.subject, time.Now())
		default:
			n.message.Rev, n.generation = w.Rev, kazoo.Generation(w.Rev)
			p.publish(n)
			last = n
		}
	}
	if last != nil {
		p.publishProxies(last.subject)
	}
}

// refused reports whether an error of the store says that nothing was written. Any other leaves that open.
func refused(err error) bool {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.BadIdentifier, fault.DatastoreMissing, fault.Invalid, fault.NotImplemented:
		return true
	}
	return false
}

// publishProxies queues the message about the proxies of an account whose copy was written. p.mu is held.
func (p *Publisher) publishProxies(copied subject) {
	if accountOf(copied.db) != "" {
		p.publish(&notice{message: aboutProxies(p.options.Node, copied.db, copied.id), subject: subject{db: copied.db}})
	}
}

// isLate reports whether a notice of this or a later revision was queued since the write began: this one would come out
// of order. One that was queued earlier is of a document that was purged meanwhile, whose revisions begin anew. p.mu is
// held.
func (p *Publisher) isLate(n *notice) bool {
	last, ok := p.queued.Get(n.subject)
	return n.generation > 0 && ok && last.generation >= n.generation && last.at.After(n.since)
}

// publish queues a notice, unless it is late. p.mu is held.
func (p *Publisher) publish(n *notice) {
	if p.isLate(n) {
		return
	}
	if len(n.message.key()) > longestKey { // no address is as long
		p.dropped++
		return
	}
	n.at = time.Now()
	p.queued.Add(n.subject, mark{n.generation, n.at})
	p.queue = append(p.queue, n)
	p.signal()
}
