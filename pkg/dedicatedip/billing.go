package dedicatedip

import "context"

// Approve says whether an account may be given so many more addresses: an error keeps it from them. It is asked when
// nothing speaks against the addresses themselves, before anything is written, and once more where they are lost to
// another writer meanwhile.
type Approve func(ctx context.Context, quantity int) error

// Asking answers the same pool, which assigns nothing that a does not approve of.
func (p *Pool) Asking(a Approve) *Pool {
	asking := *p
	asking.approve = a
	return &asking
}

// approved asks whether an account may be given so many more addresses.
func (p *Pool) approved(ctx context.Context, quantity int) error {
	if p.approve == nil || quantity == 0 {
		return nil
	}
	return p.approve(ctx, quantity)
}
