package dedicatedip

import (
	"context"
	"maps"

	"junctor/pkg/history"
	"junctor/pkg/store"
)

// EditRequest changes the zone, host, notes or account of an address. Nil fields are not changed.
type EditRequest struct {
	Address    string  // in any spelling
	Zone, Host *string // of 1 to ipbatch.MaxName characters
	Notes      *string // of at most ipbatch.MaxNotes characters; empty removes them
	AssignedTo *string // moves the address, which has a holder, to this account
	IfMatch    store.Match
	Approve    Approve // of AssignedTo; called before a move only
	By         history.Actor
}

// Edit changes an address in one write and returns it. With AssignedTo the address changes hands in that write: at no
// time is it available, and at no time have two accounts got it. The copies of both accounts follow. An address that
// no account has cannot be moved: it is assigned, by Assign. A request that changes nothing writes nothing. An address that
// is not in the pool is fault.BadIdentifier.
func (p *Pool) Edit(ctx context.Context, r EditRequest) (IP, error) {
	return single(p.startOver(1, func() ([]IP, error) {
		ip, err := p.getMatching(ctx, r.Address, r.IfMatch)
		if err == nil {
			err = r.check(ctx, ip)
		}
		if err != nil || !r.changes(ip) {
			return []IP{ip}, err
		}
		accounts := []string{ip.AssignedTo()}
		if r.moves(ip) {
			accounts = append(accounts, *r.AssignedTo)
		}
		at := p.now()
		return p.change(ctx, accounts, r.By, []IP{ip}, func(ip IP) IP { return r.apply(ip, at) })
	}))
}

// check returns what prevents the edit of an address.
func (r EditRequest) check(ctx context.Context, ip IP) error {
	fields := checkTexts(r.Zone, r.Host, r.Notes)
	if r.AssignedTo != nil && *r.AssignedTo == "" {
		fields.Add("assigned_to", "required", "Field is required but missing", map[string]any{"value": "assigned_to"})
	}
	if r.AssignedTo != nil && *r.AssignedTo != "" && ip.free() {
		fields.Add("assigned_to", "superfluous", "ip not assigned", map[string]any{"value": *r.AssignedTo})
	}
	err := fields.Err()
	if err == nil && r.Approve != nil && r.moves(ip) {
		err = r.Approve(ctx, 1)
	}
	return err
}

// moves reports whether another account has an address after the edit.
func (r EditRequest) moves(ip IP) bool {
	return r.AssignedTo != nil && *r.AssignedTo != ip.AssignedTo()
}

// texts returns the fields of the document that the edit sets.
func (r EditRequest) texts() map[string]*string {
	return map[string]*string{fieldZone: r.Zone, fieldHost: r.Host, fieldNotes: r.Notes}
}

// changes reports whether the edit changes an address.
func (r EditRequest) changes(ip IP) bool {
	for field, text := range r.texts() {
		if text != nil && *text != ip.doc.String(field) {
			return true
		}
	}
	return r.moves(ip)
}

// apply returns an address as it is after the edit.
func (r EditRequest) apply(ip IP, at int64) IP {
	doc := maps.Clone(ip.doc)
	if r.moves(ip) {
		doc[fieldAssignedTo] = *r.AssignedTo
	}
	for field, text := range r.texts() {
		switch {
		case text == nil:
		case *text == "":
			delete(doc, field)
		default:
			doc[field] = *text
		}
	}
	history.Record(doc, ip.doc, r.By, at)
	return IP{doc}
}
