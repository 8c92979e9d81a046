package dedicatedip

import (
	"context"
	"sync"
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

// change brings addresses into their next state and projects the copies of all accounts that have them before or after.
// It returns them with their new revisions. If some can't be written, none is changed in the end, except after a
// fault.DatastorePartial: see undo.
func (p *Pool) change(
	ctx context.Context, accounts []string, by history.Actor, before []IP, next func(IP) IP,
) ([]IP, error) {
	if len(before) == 0 {
		return nil, nil
	}
	after := make([]IP, len(before))
	for i, ip := range before {
		after[i] = next(ip)
	}
	began := time.Now()
	errs := p.commit(ctx, after)
	var failed error
	for _, err := range errs {
		// An open outcome counts more than a conflict: undo then takes nothing back, so the request has no clear outcome.
		if failed == nil || fault.Is(err, fault.DatastorePartial) {
			failed = err
		}
	}
	if failed != nil {
		p.undo(ctx, began, accounts, by, before, after, errs)
		return nil, failed
	}
	logChange(ctx, history.Newest(after[0].doc), idsOf(after)...)
	p.project(ctx, accounts, after)
	return after, nil
}

// project writes accounts' copies of addresses that were just written, those of all accounts at the same time.
func (p *Pool) project(ctx context.Context, accounts []string, ips []IP) {
	var others sync.WaitGroup
	for _, accountID := range accounts[1:] {
		others.Go(func() { p.projector.Project(ctx, accountID, documentsOf(ips)) })
	}
	p.projector.Project(ctx, accounts[0], documentsOf(ips))
	others.Wait()
}

// commit stores the documents of ips, which get their new revisions. It returns what became of each: an address that
// another writer changed since it was read is a fault.Conflict that names it.
func (p *Pool) commit(ctx context.Context, ips []IP) []error {
	ctx, cancel := detached(ctx)
	defer cancel()
	errs := make([]error, len(ips))
	for i, written := range p.put(ctx, documentsOf(ips)...) {
		if errs[i] = written.Err; fault.Is(written.Err, fault.Conflict) {
			errs[i] = lost(ips[i])
			p.evict(ips[i].ID())
		}
	}
	return errs
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
