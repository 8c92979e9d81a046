package dedicatedip

import (
	"context"
	"fmt"
	"sync"

	"junctor/pkg/cooling"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/store"
)

// AssignRequest asks for addresses for an account. Without addresses there is nothing to do.
type AssignRequest struct {
	Account   string
	Addresses []string // in any spelling
	IfMatch   store.Match
	Approve   Approve
	By        history.Actor
	Own       bool // the account asks for itself: Settings.MaxPerAccount applies
	// IgnoreCooling assigns addresses that are cooling, too.
	IgnoreCooling bool
}

// ReleaseRequest takes addresses back from an account.
type ReleaseRequest struct {
	Account   string
	Addresses []string // in any spelling
	IfMatch   store.Match
	By        history.Actor
}

// ReleaseAllRequest takes all addresses back from an account.
type ReleaseAllRequest struct {
	Account string
	By      history.Actor
}

// Approve returns an error if an account may not have that many more addresses. It is called after the addresses were found
// to be available and before anything is written, and once more if another writer was first. Nil approves.
type Approve func(ctx context.Context, quantity int) error

// Assign assigns addresses to an account, all or none, and returns them in the order asked for, duplicates once. Every
// address that can't be assigned is reported in a fault.Invalid under its index, as "ips%2E0", with Crossbar's codes
// (cb_ips additional_assignment_validations): not_found, superfluous (the account has it) or forbidden (another has it).
// The code cooling is ours: another account gave the address back less than Settings.Cooling ago.
//
// Of several requests for one address at most one succeeds. If an entry of several is lost to another writer on the way,
// what this request had assigned is released again and the error is a fault.Conflict that names the entry.
func (p *Pool) Assign(ctx context.Context, r AssignRequest) ([]IP, error) {
	return p.startOver(len(r.Addresses), func() ([]IP, error) {
		ips, err := p.check(ctx, r.Addresses, r.IfMatch, p.assignableTo(ctx, r))
		if err == nil && r.Own {
			err = p.checkMaximum(ctx, r.Account, "ips", len(ips))
		}
		if err == nil && len(ips) > 0 && r.Approve != nil {
			err = r.Approve(ctx, len(ips))
		}
		if err != nil {
			return nil, err
		}
		at := p.now()
		return p.change(ctx, []string{r.Account}, r.By, ips, func(ip IP) IP { return ip.assignTo(r.Account, r.By, at) })
	})
}

// Release takes addresses back from an account, all or none, and returns them as Assign does. The codes are not_found,
// superfluous (no account has the address) and forbidden (another account has it).
func (p *Pool) Release(ctx context.Context, r ReleaseRequest) ([]IP, error) {
	return p.startOver(len(r.Addresses), func() ([]IP, error) {
		ips, err := p.check(ctx, r.Addresses, r.IfMatch, releasableFrom(r.Account))
		if err != nil {
			return nil, err
		}
		return p.release(ctx, r.Account, r.By, ips)
	})
}

// ReleaseAll takes back every address that an account holds and returns them by address.
func (p *Pool) ReleaseAll(ctx context.Context, r ReleaseAllRequest) ([]IP, error) {
	return p.startOver(1, func() ([]IP, error) { // each attempt reads anew which addresses these are
		ips, err := p.heldBy(ctx, r.Account)
		if err != nil {
			return nil, err
		}
		return p.release(ctx, r.Account, r.By, ips)
	})
}

func (p *Pool) release(ctx context.Context, accountID string, by history.Actor, ips []IP) ([]IP, error) {
	at := p.now()
	return p.change(ctx, []string{accountID}, by, ips, func(ip IP) IP { return ip.release(by, at) })
}

// lossAttempts bounds how often a request for one address starts over because another writer was first. After a lost
// race the state is read again, so a second loss needs a third writer.
const lossAttempts = 4

// startOver repeats a request that lost a race. The state that the winner left then decides about one address. A request
// for several is repeated only if the pool is in memory, which may have been out of date and has been corrected since.
func (p *Pool) startOver(addresses int, try func() ([]IP, error)) (ips []IP, err error) {
	attempts := 1
	switch {
	case addresses == 1:
		attempts = lossAttempts
	case p.memory.Load() != nil:
		attempts = 2
	}
	for range attempts {
		if ips, err = try(); !fault.Is(err, fault.Conflict) {
			break
		}
	}
	return ips, err
}

// single returns the outcome of a request for one address.
func single(ips []IP, err error) (IP, error) {
	if err != nil {
		return IP{}, err
	}
	return ips[0], nil
}

// objection is what prevents a change of an address. The zero value is nothing.
type objection struct {
	code, message string
	until         int64 // Gregorian seconds; 0 is not known
}

var (
	notFound        = objection{code: "not_found", message: "ip not found"}
	alreadyAssigned = objection{code: "superfluous", message: "ip already assigned"}
	notAssigned     = objection{code: "superfluous", message: "ip not assigned"}
	assignedToOther = objection{code: "forbidden", message: "ip assigned to another account"}
)

// rule returns what prevents a change of an address.
type rule func(IP) (objection, error)

// assignableTo is the rule for an assignment: the address must be available and, to this account, not cooling.
func (p *Pool) assignableTo(ctx context.Context, r AssignRequest) rule {
	cools := sync.OnceValues(func() (cooling.Rule, error) { return p.Cooling(ctx) }) // if any of them was given back
	return func(ip IP) (objection, error) {
		switch {
		case ip.free() && r.IgnoreCooling:
			return objection{}, nil
		case ip.free():
			until, err := p.coolingFor(ctx, ip, r.Account, cools)
			if err != nil || until == 0 {
				return objection{}, err
			}
			return objection{"cooling", "another account had the ip until recently", until}, nil
		case ip.heldBy(r.Account):
			return alreadyAssigned, nil
		default:
			return assignedToOther, nil
		}
	}
}

// releasableFrom is the rule for a release: the account must hold the address.
func releasableFrom(account string) rule {
	return func(ip IP) (objection, error) {
		switch {
		case ip.free():
			return notAssigned, nil
		case ip.heldBy(account):
			return objection{}, nil
		default:
			return assignedToOther, nil
		}
	}
}

// check finds addresses and returns them in order, each once, or all objections of the rule at once. The store decides
// where memory, which may be a moment old, would refuse, and where a client expects a revision.
func (p *Pool) check(ctx context.Context, texts []string, match store.Match, r rule) ([]IP, error) {
	if from := p.Read(); match == nil && from.index != nil {
		ips, err := from.checkFound(ctx, texts, r)
		if !fault.Is(err, fault.Invalid) {
			return ips, err
		}
	}
	ips, err := Reader{pool: p}.checkFound(ctx, texts, r)
	for _, ip := range ips {
		if err == nil {
			err = match.Check(ip.Revision())
		}
	}
	return ips, err
}

// checkFound is check by what r reads.
func (r Reader) checkFound(ctx context.Context, texts []string, allows rule) ([]IP, error) {
	found, err := r.recall(ctx, texts)
	if err != nil {
		return nil, err
	}
	var ips []IP
	seen := map[string]bool{}
	objections := fault.Fields{}
	for i, text := range texts {
		o := notFound
		ip, ok := found[text]
		if ok {
			if o, err = allows(ip); err != nil {
				return nil, err
			}
		}
		if o != (objection{}) {
			more := map[string]any{"value": text}
			if o.until > 0 {
				more["until"] = o.until
			}
			// The dot is %2E: cb_ips passes the joined path on as one element, and a dot in an element is escaped.
			objections.Add(fmt.Sprintf("ips%%2E%d", i), o.code, o.message, more)
		} else if !seen[ip.ID()] {
			seen[ip.ID()] = true
			ips = append(ips, ip)
		}
	}
	return ips, objections.Err()
}
