package api

import (
	"context"

	"junctor/pkg/billing"
	"junctor/pkg/dedicatedip"
)

// charging answers the pool as it is for one request: billing is asked before an account gets addresses. That comes
// after all that speaks against the addresses, as in Crossbar (cb_ips, crossbar_services:maybe_dry_run).
func (s *Server) charging(r *request) *dedicatedip.Pool {
	return s.Pool.Asking(func(ctx context.Context, quantity int) error {
		return s.Billing.Approve(ctx, billing.Proposal{
			AccountID:     r.account.ID,
			AuthAccountID: r.identity.AccountID,
			RequestID:     r.id,
			Items:         []billing.Item{{Category: "ips", Item: "dedicated", Quantity: quantity}},
			AcceptCharges: r.says("accept_charges"),
		})
	})
}

// withoutData is a request as Crossbar has it where the path names the address: cb_ips puts that in the place of data,
// so nothing in it counts.
func (r *request) withoutData() *request {
	without := *r
	without.body.data = nil
	return &without
}
