package api

import (
	"context"

	"junctor/pkg/billing"
	"junctor/pkg/dedicatedip"
)

// approval returns what asks billing before the account in the path gets addresses, nil without a hook. The hook is asked
// after all that speaks against the addresses was looked at, as in Crossbar (cb_ips, crossbar_services:maybe_dry_run).
func (s *Server) approval(r *request) dedicatedip.Approve {
	if s.Billing == nil {
		return nil
	}
	return func(ctx context.Context, quantity int) error {
		return s.Billing.Approve(ctx, billing.Proposal{
			AccountID:     r.account.ID,
			AuthAccountID: r.identity.AccountID,
			RequestID:     r.id,
			Items:         []billing.Item{{Category: "ips", Item: "dedicated", Quantity: quantity}},
			AcceptCharges: r.says("accept_charges"),
		})
	}
}
