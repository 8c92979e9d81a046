package dedicatedip

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/projection"
	"junctor/pkg/requesttime"
	"junctor/pkg/store"
)

// undo takes back what commit wrote of a request that failed. Others may have seen the addresses in between, so the
// accounts' copies are compared after that. Where the outcome of a write is open, nothing is taken back: no write of that
// address is accepted until it is known. It tries until undoTime after the writes began.
func (p *Pool) undo(ctx context.Context, began time.Time, accounts []string, by history.Actor, writes []write) {
	ids := make([]string, len(writes))
	for i, w := range writes {
		ids[i] = w.before.ID()
	}
	compare := func() {
		for _, accountID := range accounts {
			p.projector.Compare(accountID, ids)
		}
	}
	if slices.ContainsFunc(writes, func(w write) bool { return fault.Is(w.err, fault.DatastorePartial) }) {
		compare()
		return
	}
	ctx, cancel := context.WithDeadline(requesttime.Begin(context.WithoutCancel(ctx)), began.Add(undoTime))
	defer cancel()
	var old []document.Document
	err := retry(ctx, func() (err error) {
		old, err = p.previous(ctx, by, writes)
		return err
	})
	if err == nil && len(old) == 0 {
		return
	}
	if err == nil {
		err = p.putBack(ctx, old)
	}
	if err != nil {
		p.options.Log.Error().Err(err).Str("account", strings.Join(accounts, " ")).Int("count", len(ids)).
			Strs("ips", ids[:min(len(ids), loggedIPs)]).
			Msg("a request was refused, but may have changed these addresses: compare them with what the account expects")
	}
	compare()
}

// undoTime bounds how long a request writes and tries to take back what it has written. The client waits for it: with a
// store that does not respond, the write alone takes that long.
const undoTime = 5 * time.Second

// previous returns the documents that this request wrote as they were before, over the revision they have now. Taking a
// change back is a change, too, and is recorded. If the response to a write did not arrive, the document is read.
func (p *Pool) previous(ctx context.Context, by history.Actor, writes []write) ([]document.Document, error) {
	var unsure []string
	for _, w := range writes {
		if w.err != nil && !fault.Is(w.err, fault.Conflict) {
			unsure = append(unsure, w.before.ID())
		}
	}
	stored, err := p.store.GetMany(ctx, Database, unsure)
	if err != nil {
		return nil, err
	}
	var old []document.Document
	for _, w := range writes {
		written := w.after.doc
		if w.err != nil {
			if written = stored[w.before.ID()]; !sameWrite(w, written) {
				continue
			}
		}
		doc := maps.Clone(w.before.doc)
		doc["_rev"] = written.Rev()
		history.RecordUndo(doc, written, by, p.now())
		old = append(old, doc)
	}
	return old, nil
}

// putBack writes documents as they were before. A conflict says that another writer has gone on from our state
// meanwhile, and then that is the state that counts.
func (p *Pool) putBack(ctx context.Context, old []document.Document) error {
	return retry(ctx, func() (err error) {
		var rest []document.Document
		for i, w := range p.put(ctx, old...) {
			if w.Err != nil && !fault.Is(w.Err, fault.Conflict) {
				rest, err = append(rest, old[i]), w.Err
			}
		}
		old = rest
		return err
	})
}

// sameWrite reports whether the stored document is the one that a write of this request made. The store of a CouchDB
// cluster signs each write, and may have written it twice.
func sameWrite(w write, stored document.Document) bool {
	if !projection.SameContent(w.after.doc, stored) {
		return false
	}
	if writer := w.after.doc.String(store.FieldWriter); writer != "" {
		return stored.String(store.FieldWriter) == writer
	}
	return kazoo.Generation(stored.Rev()) == kazoo.Generation(w.before.Revision())+1
}

// How often a request tries to take back what it has written, and the pauses in between.
const (
	undoAttempts   = 3
	firstUndoPause = 50 * time.Millisecond
	lastUndoPause  = 100 * time.Millisecond
)

// retry tries something a few times with backoff. It does not repeat what ended in a conflict.
func retry(ctx context.Context, try func() error) (err error) {
	pauses := backoff.New(firstUndoPause, lastUndoPause)
	for attempt := 1; ; attempt++ {
		err = try()
		if err == nil || fault.Is(err, fault.Conflict) || attempt == undoAttempts || pauses.Wait(ctx) != nil {
			return err
		}
	}
}
