package dedicatedip

import (
	"context"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/store"
)

// DeleteRequest asks for an address to be removed from the pool.
type DeleteRequest struct {
	Address string // in any spelling
	IfMatch store.Match
	By      history.Actor
}

// Delete removes an address from the pool, even if an account holds it, and the account's copy. It returns the address
// as it was, or fault.BadIdentifier if the pool does not have it.
func (p *Pool) Delete(ctx context.Context, r DeleteRequest) (IP, error) {
	return single(p.startOver(1, func() ([]IP, error) {
		ip, err := p.getMatching(ctx, r.Address, r.IfMatch)
		if err == nil {
			err = p.remove(ctx, ip, r.By)
		}
		return []IP{ip}, err
	}))
}

// Remove is Delete for callers of Add: it also deletes entries that are not addresses.
func (p *Pool) Remove(ctx context.Context, r DeleteRequest) error {
	text := r.Address
	if _, ok := ipaddr.Parse(text); ok {
		_, err := p.Delete(ctx, r)
		return err
	}
	if text == "" || strings.HasPrefix(text, "_") {
		return fault.Unknown(text, nil)
	}
	found, err := p.fetch(ctx, []string{text})
	if err != nil {
		return err
	}
	ip, ok := found[text]
	if !ok {
		return fault.Unknown(text, nil)
	}
	return p.remove(ctx, ip, r.By)
}

// remove deletes a document as it was read, and the holder's copy with it, also where the store's response is lost.
func (p *Pool) remove(ctx context.Context, ip IP, by history.Actor) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	tombstone := document.Document{"_id": ip.ID(), "_rev": ip.Revision(), "_deleted": true}
	history.Record(tombstone, ip.doc, by, p.now()) // a tombstone has a body, so that the record goes on from it
	switch err := p.put(ctx, tombstone)[0].Err; {
	case err == nil:
		logChange(ctx, history.Event{Action: history.Deleted, From: ip.AssignedTo()}, ip.ID())
		p.projector.Project(ctx, []document.Document{tombstone}, ip.AssignedTo())
		return nil
	case fault.Is(err, fault.DatastorePartial):
		p.projector.Compare(ip.AssignedTo(), []string{ip.ID()})
		return err
	case !fault.Is(err, fault.Conflict):
		p.projector.Project(ctx, []document.Document{tombstone}, ip.AssignedTo())
		return err
	default:
		return err
	}
}
