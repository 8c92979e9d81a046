package api

import (
	"context"

	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// editIP handles PATCH /ips/{ip}, which Crossbar does not have.
func (s *Server) editIP(r *crossbar.Request) (crossbar.Reply, error) {
	data, err := r.Object()
	if err != nil {
		return crossbar.Reply{}, err
	}
	if err := s.Schemas.Validate("ip_edit", map[string]any(data)); err != nil {
		return crossbar.Reply{}, err
	}
	request := dedicatedip.EditRequest{
		Address: ipaddr.Unbracket(r.Vars["ip"]), IfMatch: r.RevisionMatch(), By: actor(r),
		Zone: textIn(data, "zone"), Host: textIn(data, "host"), Notes: textIn(data, "notes"),
		AssignedTo: textIn(data, "assigned_to"),
	}
	if request.Zone == nil && request.Host == nil && request.Notes == nil && request.AssignedTo == nil {
		return crossbar.Reply{}, fault.Finding("", "required", "One of zone, host, notes and assigned_to is required", nil)
	}
	if to := request.AssignedTo; to != nil {
		if err := s.checkHolder(r.Context(), *to); err != nil {
			return crossbar.Reply{}, err
		}
		request.Approve = s.approval(r, *to)
	}
	ip, err := s.Pool.Edit(r.Context(), request)
	if err != nil {
		return crossbar.Reply{}, err
	}
	return crossbar.Reply{Data: encodeAddress(ip.Address()), Revision: ip.Revision()}, nil
}

// textIn returns a text in data, nil if there is none.
func textIn(data document.Document, key string) *string {
	text, ok := data[key].(string)
	if !ok {
		return nil
	}
	return &text
}

// checkHolder returns fault.Invalid if there is no account to move an address to.
func (s *Server) checkHolder(ctx context.Context, accountID string) error {
	holder, err := s.Accounts.Get(ctx, accountID)
	if fault.Is(err, fault.BadIdentifier) || err == nil && holder.Deleted {
		return fault.Finding("assigned_to", "not_found", "account not found", map[string]any{"value": accountID})
	}
	return err
}
