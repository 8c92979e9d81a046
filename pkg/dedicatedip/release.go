package dedicatedip

import (
	"context"
	"slices"

	"junctor/pkg/ipaddr"
	"junctor/pkg/store"
)

// ReleaseOne takes one address back from the account that holds it. What speaks against it is a fault.Invalid
// under "ips%2E0": not_found, superfluous (nobody has it) or forbidden (another account has it).
func (p *Pool) ReleaseOne(ctx context.Context, accountID, address string, match Match) (IP, error) {
	return one(func() ([]IP, error) { return p.release(ctx, accountID, only(address), match) })
}

// Release takes the addresses in data's "ips" back from an account, all or none, as Assign does it.
func (p *Pool) Release(ctx context.Context, accountID string, data map[string]any) ([]IP, error) {
	return p.anew(func() ([]IP, error) { return p.release(ctx, accountID, data, nil) })
}

func (p *Pool) release(ctx context.Context, accountID string, data map[string]any, match Match) ([]IP, error) {
	held, err := p.validate(ctx, data, match, func(ip IP) (code, message string) {
		switch {
		case ip.free():
			return "superfluous", "ip not assigned"
		case ip.heldBy(accountID):
			return "", ""
		default:
			return "forbidden", "ip assigned to another account"
		}
	})
	if err != nil {
		return nil, err
	}
	return p.giveBack(ctx, accountID, held)
}

// ReleaseAll takes back every address that an account holds, and answers them by address.
func (p *Pool) ReleaseAll(ctx context.Context, accountID string) ([]IP, error) {
	return again(func() ([]IP, error) {
		held, err := p.heldBy(ctx, accountID)
		if err != nil {
			return nil, err
		}
		return p.giveBack(ctx, accountID, held)
	})
}

func (p *Pool) giveBack(ctx context.Context, accountID string, held []IP) ([]IP, error) {
	at := p.time()
	return p.change(ctx, accountID, held, func(ip IP) IP { return ip.release(at) })
}

// heldBy reads the addresses of an account. The view may be a moment behind, so the documents decide.
func (p *Pool) heldBy(ctx context.Context, accountID string) ([]IP, error) {
	var ids []string
	err := p.store.View(ctx, Database, kazooDesign, "assigned_to_listing", store.Query{Key: accountID},
		func(row store.Row) error {
			if _, ok := ipaddr.Parse(row.ID()); ok {
				ids = append(ids, row.ID())
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	found, err := p.fetch(ctx, ids)
	if err != nil {
		return nil, err
	}
	var held []IP
	for _, ip := range found {
		if ip.heldBy(accountID) {
			held = append(held, ip)
		}
	}
	slices.SortFunc(held, func(a, b IP) int { return ipaddr.Compare(a.ID(), b.ID()) })
	return held, nil
}
