package dedicatedip

import (
	"context"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/store"
)

// commitTime bounds writes that belong together. Those to a cluster have less time, see package requesttime.
const commitTime = 30 * time.Second

// detached returns a context for writes that belong together: a client that hangs up must not cut them in half.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), commitTime)
}

// write is the change of the document of an address.
type write struct {
	before, after IP
	err           error // what commit returned; fault.Conflict if another writer has changed the document since it was read
}

// change brings addresses into their next state and projects the copies of all accounts that have them before or after.
// It returns them with their new revisions. If some can't be written, none is changed in the end, except after a
// fault.DatastorePartial: see undo.
func (p *Pool) change(
	ctx context.Context, accounts []string, by history.Actor, before []IP, next func(IP) IP,
) (after []IP, err error) {
	if len(before) == 0 {
		return nil, nil
	}
	writes := make([]write, len(before))
	for i, ip := range before {
		writes[i] = write{before: ip, after: next(ip)}
	}
	began := time.Now()
	p.commit(ctx, writes)
	for _, w := range writes {
		after = append(after, w.after)
		// An open outcome counts more than a conflict: undo then takes nothing back, so the request has no clear outcome.
		if err == nil || fault.Is(w.err, fault.DatastorePartial) {
			err = w.err
		}
	}
	if err != nil {
		p.undo(ctx, began, accounts, by, writes)
		return nil, err
	}
	logChange(ctx, history.Newest(after[0].doc), idsOf(after)...)
	p.projector.Project(ctx, documentsOf(after), accounts...)
	return after, nil
}

// commit stores the documents of addresses, which get their new revisions. The error of each names the address if it is a
// fault.Conflict.
func (p *Pool) commit(ctx context.Context, writes []write) {
	ctx, cancel := detached(ctx)
	defer cancel()
	docs := make([]document.Document, len(writes))
	for i, w := range writes {
		docs[i] = w.after.doc
	}
	for i, written := range p.put(ctx, docs...) {
		w := &writes[i]
		if w.err = written.Err; fault.Is(w.err, fault.Conflict) {
			w.err = lost(w.after)
			p.evict(w.after.ID())
		}
	}
}

// put writes documents of the pool, and returns the outcome of each. All writes of the pool go through it. A document that
// was written has its new revision, and memory holds it, so it must not be altered afterwards.
func (p *Pool) put(ctx context.Context, docs ...document.Document) []store.Written {
	p.options.History.Trim(ctx, docs...)
	outcomes := store.PutEach(ctx, p.store, Database, docs)
	for i, written := range outcomes {
		if written.Err == nil {
			docs[i]["_rev"] = written.Rev
			p.wrote(docs[i])
		}
	}
	return outcomes
}

// lost returns the error of an address that another writer changed first.
func lost(ip IP) error {
	return &fault.Error{Kind: fault.Conflict, Data: map[string]any{"cause": ip.ID(), "message": "conflicting documents"}}
}

func documentsOf(ips []IP) []document.Document {
	docs := make([]document.Document, len(ips))
	for i, ip := range ips {
		docs[i] = ip.doc
	}
	return docs
}

func idsOf(ips []IP) []string {
	ids := make([]string, len(ips))
	for i, ip := range ips {
		ids[i] = ip.ID()
	}
	return ids
}
