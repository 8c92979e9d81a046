package store

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// While there are writes to a CouchDB cluster whose outcome is open, further ones are refused at once: they would wait
// for the same node, and each would leave one more open. If no node has to be waited for, and only the winner of two
// writers is open, other documents are written. Reads go on. One goroutine finds out what became of the open writes, by
// asking all nodes for those documents. That is the probe, too: when all nodes that CouchDB has not given up have
// responded, and they are a majority, writes go on.

// errWaiting is why a write is refused without being sent.
var errWaiting = errors.New("the outcome of an earlier write to the CouchDB cluster is open; nothing was written")

// probeWait is the time between two questions about open writes.
const probeWait = time.Second

// unconfirmed is the set of writes whose outcome is open.
type unconfirmed struct {
	mu      sync.Mutex
	writes  []openWrite
	running bool // the goroutine that finds out
}

// openWrite is a write of one document.
type openWrite struct {
	db, id string
	writer string // its signature; empty where documents are not signed
	first  string // the revision that was accepted; empty if the response did not come
	// contested says that no node has to be waited for: only the winner of two writers is open.
	contested bool
}

// refuses reports whether a write of documents is refused.
func (u *unconfirmed) refuses(db string, docs []document.Document) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.ContainsFunc(u.writes, func(w openWrite) bool {
		return !w.contested ||
			w.db == db && slices.ContainsFunc(docs, func(doc document.Document) bool { return doc.ID() == w.id })
	})
}

// leaveOpen makes the outcome of writes a fault.DatastorePartial unless they have one, and has it found out.
func (s *Store) leaveOpen(db string, open []*accepted, cause error) {
	if len(open) == 0 {
		return
	}
	s.unconfirmed.mu.Lock()
	defer s.unconfirmed.mu.Unlock()
	for _, a := range open {
		if a.Err != nil {
			continue
		}
		*a.Written = Written{Err: fault.Wrap(fault.DatastorePartial, cause)}
		s.unconfirmed.writes = append(s.unconfirmed.writes, openWrite{
			db, a.id, a.writer, a.first, errors.Is(cause, errContested),
		})
		s.log.Warn().Err(cause).Str("database", db).Str("id", a.id).Msg("the outcome of a write is open; until " +
			"it is known this document is not written, nor any other if a node does not respond")
	}
	if len(s.unconfirmed.writes) > 0 && !s.unconfirmed.running && s.ctx.Err() == nil {
		s.unconfirmed.running = true
		s.background.Go(s.findOut)
	}
}

// findOut finds out what became of open writes, until there are none.
func (s *Store) findOut() {
	for backoff.Sleep(s.ctx, probeWait) == nil {
		u := &s.unconfirmed
		u.mu.Lock()
		writes := u.writes
		u.mu.Unlock()
		var open []openWrite
		var failed error
		for db, some := range byDatabase(writes) {
			if failed == nil { // otherwise the next one would wait for the same node
				failed = s.ask(db, some)
			}
			if failed != nil {
				open = append(open, some...)
			}
		}
		u.mu.Lock()
		u.writes = append(open, u.writes[len(writes):]...)
		u.running = len(u.writes) > 0
		running := u.running
		u.mu.Unlock()
		if !running {
			s.log.Info().Msg("the outcome of all writes is known; writes to this CouchDB cluster go on")
			return
		}
	}
}

func byDatabase(writes []openWrite) map[string][]openWrite {
	databases := map[string][]openWrite{}
	for _, w := range writes {
		databases[w.db] = append(databases[w.db], w)
	}
	return databases
}

// ask finds out what became of writes to a database. It returns an error while that can't be known.
func (s *Store) ask(db string, writes []openWrite) error {
	ctx, cancel := context.WithTimeoutCause(s.ctx, confirmTime, errUnconfirmed)
	defer cancel()
	nodes, err := s.Nodes(ctx, db)
	if err != nil {
		return err
	}
	if _, err := s.missingNodes(ctx, nodes); err != nil {
		return err
	}
	var ids []string
	for _, w := range writes {
		ids = append(ids, w.id)
	}
	leaves, err := s.leaves(ctx, db, ids, nodes)
	if fault.Is(err, fault.DatastoreMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	own := map[openWrite]*accepted{}
	for _, w := range writes {
		for _, l := range leaves[w.id] {
			if w.writer != "" && l.doc.String(FieldWriter) == w.writer {
				own[w] = &accepted{
					Written: &Written{}, id: w.id, writer: w.writer, first: cmp.Or(w.first, l.doc.Rev()), newest: l.doc.Rev(),
				}
			}
		}
	}
	_, err = s.decide(ctx, db, slices.Collect(maps.Values(own)), nodes)
	if err != nil && !errors.Is(err, errContested) { // then CouchDB's winner stays
		return err
	}
	for _, w := range writes {
		outcome := "stored"
		switch a := own[w]; {
		case a == nil:
			outcome = "not stored, or superseded"
		case fault.Is(a.Err, fault.Conflict):
			outcome = "lost to another writer"
		}
		s.log.Info().Str("database", db).Str("id", w.id).Str("outcome", outcome).
			Msg("the outcome of a write that not all nodes had confirmed is known")
	}
	return nil
}
