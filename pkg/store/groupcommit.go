package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/requesttime"
)

// A CouchDB spends most of the processor time of a write on the request: in a bulk of four, a document costs a third of
// what it costs alone. So writes of single documents are committed in groups: those that come while one to the same
// database is on its way wait for it, and are then sent in one bulk. A write that meets no other is sent at once, alone.

// groupWait bounds how long a group waits for the one before it. A CouchDB that hangs holds up none for longer.
const groupWait = 100 * time.Millisecond

// mostGrouped bounds the writes of a group.
const mostGrouped = 100

// group is writes of single documents that are sent together. Whoever has put the first one into it sends it.
type group struct {
	docs    []document.Document // no two of one id
	before  <-chan struct{}     // closed when the group before has been written; nil if there was none
	isSent  bool
	written []Written
	done    chan struct{} // closed when written is complete
}

// groups is the newest group of each database that has one.
type groups struct {
	mu     sync.Mutex
	newest map[string]*group
}

// join puts a document into the group that waits, or else into a new one, and returns its place there.
func (g *groups) join(db string, doc document.Document) (joined *group, at int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	joined = g.newest[db]
	if joined == nil || !joined.takes(doc.ID()) {
		next := &group{done: make(chan struct{})}
		if joined != nil {
			next.before = joined.done
		}
		g.newest[db], joined = next, next
	}
	joined.docs = append(joined.docs, doc)
	return joined, len(joined.docs) - 1
}

// takes reports whether a group takes one more document. It has no two of one id: CouchDB would see one write.
func (g *group) takes(id string) bool {
	return !g.isSent && len(g.docs) < mostGrouped && // once it is sent, its documents may be signed
		!slices.ContainsFunc(g.docs, func(doc document.Document) bool { return doc.ID() == id })
}

// closeGroup waits until a group is to be sent, and returns its documents. It takes no more then.
func (g *groups) closeGroup(sending *group) []document.Document {
	if sending.before != nil {
		patience := time.NewTimer(groupWait)
		defer patience.Stop()
		select {
		case <-sending.before:
		case <-patience.C:
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	sending.isSent = true
	return sending.docs
}

// end wakes those who wait for a group.
func (g *groups) end(db string, sent *group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.newest[db] == sent {
		delete(g.newest, db)
	}
	close(sent.done)
}

// isGrouped reports whether a write may be sent together with others. On a cluster one whose request has less than
// confirmTime left is not: it would leave the others less, too.
func (s *Store) isGrouped(ctx context.Context, db, id string) (bool, error) {
	if s.couch == nil || ctx.Err() != nil || id == "" || strings.HasPrefix(id, "_") {
		return false, nil
	}
	nodes, err := s.Nodes(ctx, db)
	began, isRequest := requesttime.Began(ctx)
	return nodes == 1 || !isRequest || time.Until(began.Add(allWritesTime)) >= confirmTime, err
}

// putGrouped is Put for a write that may be sent together with others.
func (s *Store) putGrouped(ctx context.Context, db string, doc document.Document) Written {
	g, at := s.groups.join(db, doc)
	if at == 0 {
		s.commit(ctx, db, g)
	}
	<-g.done
	return g.written[at]
}

// commit writes the documents of a group. None that others wait for ends with ctx. What CouchDB refuses in a bulk is sent
// again alone, since it may have refused all for one.
func (s *Store) commit(ctx context.Context, db string, g *group) {
	defer s.groups.end(db, g)
	docs := s.groups.closeGroup(g)
	if len(docs) == 1 {
		g.written = []Written{s.putAlone(ctx, db, docs[0])}
		return
	}
	ctx = context.WithoutCancel(ctx)
	g.written = PutEach(ctx, s, db, docs)
	for i, w := range g.written {
		if w.Err != nil && Unacceptable(w.Err) && !fault.Is(w.Err, fault.Conflict) {
			g.written[i] = s.putAlone(ctx, db, docs[i])
		}
	}
}
