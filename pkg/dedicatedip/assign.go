package dedicatedip

import (
	"context"
	"fmt"

	"junctor/pkg/fault"
)

// AssignOne assigns one address to an account. What speaks against it is a fault.Invalid with Crossbar's codes
// under "ips%2E0" (cb_ips additional_assignment_validations): not_found, superfluous (the account has it) or
// forbidden (another has it). Of several requests for one address exactly one succeeds.
func (p *Pool) AssignOne(ctx context.Context, accountID, address string, match Match) (IP, error) {
	return one(func() ([]IP, error) { return p.assign(ctx, accountID, only(address), match) })
}

// Assign assigns the addresses in data's "ips" to an account, all or none, and answers them in the order asked
// for, duplicates once. Every entry that cannot be had is reported under its index, as AssignOne does. Where an
// entry is lost to another writer on the way, what this request had assigned is given back and the answer is a
// fault.Conflict that names the entry. Without "ips" there is nothing to do.
func (p *Pool) Assign(ctx context.Context, accountID string, data map[string]any) ([]IP, error) {
	return p.anew(func() ([]IP, error) { return p.assign(ctx, accountID, data, nil) })
}

func (p *Pool) assign(ctx context.Context, accountID string, data map[string]any, match Match) ([]IP, error) {
	free, err := p.validate(ctx, data, match, func(ip IP) (code, message string) {
		switch {
		case ip.free():
			return "", ""
		case ip.heldBy(accountID):
			return "superfluous", "ip already assigned"
		default:
			return "forbidden", "ip assigned to another account"
		}
	})
	if err == nil {
		err = p.approved(ctx, len(free))
	}
	if err != nil {
		return nil, err
	}
	at := p.time()
	return p.change(ctx, accountID, free, func(ip IP) IP { return ip.assignTo(accountID, at) })
}

// only is the list of one address, as the schema "ips" has it.
func only(address string) map[string]any { return map[string]any{"ips": []any{address}} }

// lossAttempts bounds how often a request starts over because another writer was first. After a lost race the
// state is read again, so a second loss needs a third writer: more than a few mean something else is wrong.
const lossAttempts = 4

// again starts over what lost a race; the state that the winner left decides.
func again(try func() ([]IP, error)) (ips []IP, err error) {
	for range lossAttempts {
		if ips, err = try(); !fault.Is(err, fault.Conflict) {
			break
		}
	}
	return ips, err
}

// anew starts over once where what was lost may have been old in memory only. That has been forgotten by now.
func (p *Pool) anew(try func() ([]IP, error)) ([]IP, error) {
	ips, err := try()
	if fault.Is(err, fault.Conflict) && p.memory.Load() != nil {
		return try()
	}
	return ips, err
}

// one is again for a list of one.
func one(try func() ([]IP, error)) (IP, error) {
	ips, err := again(try)
	if err != nil {
		return IP{}, err
	}
	return ips[0], nil
}

// validate checks data against the schema, finds the addresses of its "ips", judges each and then compares their
// revisions with match. It answers them in order, each once, or every objection at once.
func (p *Pool) validate(
	ctx context.Context, data map[string]any, match Match, judge func(IP) (code, message string),
) ([]IP, error) {
	if err := p.schemas.Validate("ips", data); err != nil {
		return nil, err
	}
	list, _ := data["ips"].([]any)
	texts := make([]string, len(list))
	for i, entry := range list {
		texts[i], _ = entry.(string)
	}
	if match == nil { // a revision that a client expects is to be compared with the last
		ips, err := p.judge(ctx, p.recall, texts, judge)
		if !fault.Is(err, fault.Invalid) || p.memory.Load() == nil {
			return ips, err
		} // what is in memory may be a moment old
	}
	ips, err := p.judge(ctx, p.lookup, texts, judge)
	if err == nil {
		err = match.check(ips...)
	}
	return ips, err
}

// finder finds addresses by the texts they are asked for.
type finder func(ctx context.Context, texts []string) (map[string]IP, error)

// judge finds addresses and judges each.
func (p *Pool) judge(
	ctx context.Context, find finder, texts []string,
	judge func(IP) (code, message string),
) ([]IP, error) {
	found, err := find(ctx, texts)
	if err != nil {
		return nil, err
	}
	var ips []IP
	seen := map[string]bool{}
	objections := fault.Fields{}
	for i, text := range texts {
		code, message := "not_found", "ip not found"
		ip, ok := found[text]
		if ok {
			code, message = judge(ip)
		}
		if code != "" {
			// The dot is %2E: cb_ips hands the joined path over as one element, and a dot in an element is escaped.
			objections.Add(fmt.Sprintf("ips%%2E%d", i), code, message, map[string]any{"value": text})
		} else if !seen[ip.ID()] {
			seen[ip.ID()] = true
			ips = append(ips, ip)
		}
	}
	return ips, objections.Err()
}
