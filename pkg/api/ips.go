package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"junctor/pkg/billing"
	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
)

// listAvailable handles GET /ips and GET /accounts/{account}/ips.
func (s *Server) listAvailable(r *crossbar.Request) (crossbar.Reply, error) {
	f := dedicatedip.Filter{
		Zone:     given(r.Query.Get("zone")),
		Quantity: count(r.Query.Get("quantity")),
		PageSize: count(r.Query.Get("page_size")),
		StartKey: startKey(r),
	}
	if r.Query.Get("paginate") == "false" {
		f.PageSize, f.StartKey = 0, ""
	}
	f.Reading = func(rows int) error { return r.HoldResponse(max(rows, unknownRows) * bytesPerRow) }
	if err := s.holdRows(r, f.Quantity, f.PageSize); err != nil {
		return crossbar.Reply{}, err
	}
	from := s.Pool.Read()
	page, err := from.Available(r.Context(), f)
	if err != nil {
		return crossbar.Reply{}, err
	}
	rep := crossbar.Reply{Data: encodeItems(page.Items), Next: page.Next, Bypassed: from.Bypassed()}
	if f.PageSize > 0 {
		rep.PageSize = new(len(page.Items))
	}
	return rep, nil
}

// bytesPerRow is about what a row of a listing takes, its text included, until the response is encoded.
const bytesPerRow = 256

// unknownRows is how many rows a listing is taken to have until more are read, while the size of the pool is not known.
const unknownRows = 10_000

// holdRows makes sure that there is room for a listing of the pool, before it is made. Limits of 0 are none.
func (s *Server) holdRows(r *crossbar.Request, limits ...int) error {
	rows := unknownRows
	if look, _ := s.Pool.Memory(); look.Loaded {
		rows = look.Entries
	}
	for _, limit := range limits {
		if limit > 0 {
			rows = min(rows, limit)
		}
	}
	return r.HoldResponse(rows * bytesPerRow)
}

// given returns a parameter. Monster UI's SDK writes the word undefined for one that it was not given.
func given(parameter string) string {
	if parameter == "undefined" {
		return ""
	}
	return parameter
}

// count parses a number of rows. Zero, which anything else becomes, is no limit.
func count(parameter string) int {
	n, err := strconv.Atoi(parameter)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// listAssigned handles GET /accounts/{account}/ips/assigned.
func (s *Server) listAssigned(r *crossbar.Request) (crossbar.Reply, error) {
	from := s.Pool.Read()
	items, err := from.Assigned(r.Context(), r.Account.ID)
	return crossbar.Reply{Data: encodeItems(items), Bypassed: from.Bypassed()}, err
}

// listAllAssigned handles GET /ips/assigned.
func (s *Server) listAllAssigned(r *crossbar.Request) (crossbar.Reply, error) {
	if err := s.holdRows(r); err != nil {
		return crossbar.Reply{}, err
	}
	from := s.Pool.Read()
	items, err := from.AssignedAll(r.Context())
	return crossbar.Reply{Data: encodeItems(items), Bypassed: from.Bypassed()}, err
}

// listZones handles GET …/ips/zones.
func (s *Server) listZones(r *crossbar.Request) (crossbar.Reply, error) {
	from := s.Pool.Read()
	zones, err := from.Zones(r.Context())
	return crossbar.Reply{Data: zones, Bypassed: from.Bypassed()}, err
}

// listHosts handles GET …/ips/hosts.
func (s *Server) listHosts(r *crossbar.Request) (crossbar.Reply, error) {
	from := s.Pool.Read()
	hosts, err := from.Hosts(r.Context())
	return crossbar.Reply{Data: hosts, Bypassed: from.Bypassed()}, err
}

// createIP handles PUT /ips, and PUT /accounts/{account}/ips, which the documentation's example uses and Crossbar
// refuses to everybody; it takes a superduper account either way. With "ips" in data it creates many, which Crossbar
// cannot.
func (s *Server) createIP(r *crossbar.Request) (crossbar.Reply, error) {
	if err := crossbar.Superduper(r); err != nil {
		return crossbar.Reply{}, err
	}
	data, err := r.NewObject() // of a list Crossbar stores a nameless document
	if err != nil {
		return crossbar.Reply{}, err
	}
	dryRun, err := r.Flag("dry_run", false)
	if err != nil {
		return crossbar.Reply{}, err
	}
	if _, many := data["ips"]; many {
		return s.createIPs(r, data, dryRun)
	}
	if dryRun {
		return crossbar.Reply{}, fault.Finding("dry_run", "invalid", "dry_run needs ips", map[string]any{"value": true})
	}
	if err := s.Schemas.Validate("ip", map[string]any(data)); err != nil {
		return crossbar.Reply{}, err
	}
	ip, err := s.Pool.Create(r.Context(), dedicatedip.CreateRequest{
		Address: data.String("ip"), Zone: data.String("zone"), Host: data.String("host"), Notes: data.String("notes"),
		By: actor(r),
	})
	if err != nil {
		return crossbar.Reply{}, err
	}
	rep := crossbar.Reply{Revision: ip.Revision(), Metadata: ip.Private()}
	readOnly := stripped(ip.Private())
	if s.format(r) == Crossbar {
		rep.Data = map[string]any{"_read_only": readOnly}
		return rep, nil
	}
	rep.Data, err = withReadOnly(ip, readOnly)
	return rep, err
}

// stripped returns private fields the way Kazoo 4 leaks them (kz_doc:leak_private_fields): without their prefix.
func stripped(private map[string]any) map[string]any {
	plain := make(map[string]any, len(private))
	for key, value := range private {
		plain[strings.TrimPrefix(strings.TrimPrefix(key, "pvt"), "_")] = value
	}
	return plain
}

// withReadOnly returns an ip object with "_read_only" in it.
func withReadOnly(ip dedicatedip.IP, readOnly map[string]any) (json.RawMessage, error) {
	encoded, err := document.Encode(readOnly)
	object := encodeAddress(ip.Address())
	return fmt.Appendf(object[:len(object)-1], `,"_read_only":%s}`, encoded), err
}

// getIP handles GET /ips/{ip} and GET /accounts/{account}/ips/{ip}. Who may not see the account that holds the
// address learns no more than about one that does not exist (Crossbar shows it).
func (s *Server) getIP(r *crossbar.Request) (crossbar.Reply, error) {
	address := r.Vars["ip"]
	from := s.Pool.Read()
	ip, err := from.Get(r.Context(), ipaddr.Unbracket(address))
	if err == nil {
		err = s.mayShow(r, ip)
	}
	if fault.Is(err, fault.BadIdentifier) {
		err = fault.Unknown(address, err)
	}
	return crossbar.Reply{Data: encodeAddress(ip), Revision: ip.Revision, Bypassed: from.Bypassed()}, err
}

// mayShow returns fault.BadIdentifier for an address whose holder the token has no rights on.
func (s *Server) mayShow(r *crossbar.Request, ip dedicatedip.Address) error {
	holder := ip.AssignedTo
	if holder == "" || holder == r.Identity.AccountID || r.Identity.Superduper {
		return nil
	}
	if r.Account != nil && holder == r.Account.ID {
		return nil
	}
	target, err := s.Accounts.Get(r.Context(), holder)
	if err == nil && !r.Identity.MaySee(target) {
		err = fault.New(fault.BadIdentifier, "")
	}
	return err
}

// deleteIP handles DELETE /ips/{ip}, which Crossbar 4.3 refuses whatever is asked. It is right about what is no
// address.
func (s *Server) deleteIP(r *crossbar.Request) (crossbar.Reply, error) {
	address, err := addressOf(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	ip, err := s.Pool.Delete(r.Context(), dedicatedip.DeleteRequest{
		Address: address, IfMatch: r.RevisionMatch(), By: actor(r),
	})
	if err != nil {
		return crossbar.Reply{}, err
	}
	gone := map[string]any{"deleted": true}
	data, err := withReadOnly(ip, gone)
	return crossbar.Reply{Data: data, Revision: ip.Revision(), Metadata: gone}, err
}

// addressOf returns the address in the path. The fault of what is none is that of a list of one.
func addressOf(r *crossbar.Request) (string, error) {
	address := ipaddr.Unbracket(r.Vars["ip"])
	if _, ok := ipaddr.Parse(address); !ok {
		return "", fault.Finding("ips.0", "not_one_schema_valid", "failed to validate", map[string]any{"value": address})
	}
	return address, nil
}

// assignIP handles POST /accounts/{account}/ips/{ip}. The address replaces data, as in cb_ips, so that nothing in it
// counts.
func (s *Server) assignIP(r *crossbar.Request) (crossbar.Reply, error) {
	r.DropData()
	address, err := addressOf(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	ignoreCooling, err := ignoresCooling(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	ips, err := s.Pool.Assign(r.Context(), dedicatedip.AssignRequest{
		Account: r.Account.ID, Addresses: []string{address}, IfMatch: r.RevisionMatch(), Approve: s.approval(r, r.Account.ID),
		By: actor(r), Own: isOwn(r), IgnoreCooling: ignoreCooling,
	})
	return s.one(r, ips, err)
}

// releaseIP handles DELETE /accounts/{account}/ips/{ip}.
func (s *Server) releaseIP(r *crossbar.Request) (crossbar.Reply, error) {
	address, err := addressOf(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	ips, err := s.Pool.Release(r.Context(), dedicatedip.ReleaseRequest{
		Account: r.Account.ID, Addresses: []string{address}, IfMatch: r.RevisionMatch(), By: actor(r),
	})
	return s.one(r, ips, err)
}

// addressesIn returns the addresses under "ips" in data, in the order given.
func (s *Server) addressesIn(data document.Document) ([]string, error) {
	if err := s.Schemas.Validate("ips", map[string]any(data)); err != nil {
		return nil, err
	}
	return data.Strings("ips"), nil
}

// assignIPs handles POST /accounts/{account}/ips. If "quantity" is given and "ips" is not, the pool chooses; Crossbar
// does not know that. Crossbar ignores what else is in data.
func (s *Server) assignIPs(r *crossbar.Request) (crossbar.Reply, error) {
	if err := r.RefuseIfMatch(); err != nil {
		return crossbar.Reply{}, err
	}
	data := ipsData(r)
	if s.format(r) == Documented {
		if err := checkWish(r, data); err != nil {
			return crossbar.Reply{}, err
		}
	}
	ignoreCooling, err := ignoresCooling(r)
	if err != nil {
		return crossbar.Reply{}, err
	}
	if _, asked := data["quantity"]; asked && data["ips"] == nil {
		return s.allocateIPs(r, data, ignoreCooling)
	}
	addresses, err := s.addressesIn(data)
	if err != nil {
		return crossbar.Reply{}, err
	}
	ips, err := s.Pool.Assign(r.Context(), dedicatedip.AssignRequest{
		Account: r.Account.ID, Addresses: addresses, Approve: s.approval(r, r.Account.ID), By: actor(r), Own: isOwn(r),
		IgnoreCooling: ignoreCooling,
	})
	return s.several(r, ips, err)
}

// allocateIPs assigns as many addresses as data asks for.
func (s *Server) allocateIPs(
	r *crossbar.Request, data document.Document, ignoreCooling bool,
) (crossbar.Reply, error) {
	if err := s.Schemas.Validate("ips_allocation", map[string]any(data)); err != nil {
		return crossbar.Reply{}, err
	}
	quantity, _ := data["quantity"].(json.Number)
	wanted, _ := quantity.Float64() // the schema takes 2.0 and 1e1 for whole numbers, as JSON Schema does
	ips, err := s.Pool.Allocate(r.Context(), dedicatedip.AllocateRequest{
		Account: r.Account.ID, Quantity: int(wanted), Zone: data.String("zone"), Spread: data.Bool("spread"),
		Approve: s.approval(r, r.Account.ID), By: actor(r), Own: isOwn(r), IgnoreCooling: ignoreCooling,
	})
	return s.several(r, ips, err)
}

// isOwn reports whether an account asks for itself.
func isOwn(r *crossbar.Request) bool { return r.Identity.AccountID == r.Account.ID }

// ignoresCooling reports whether a request takes addresses that cool, as a superduper admin's can with cooling=false.
func ignoresCooling(r *crossbar.Request) (bool, error) {
	respected, err := r.Flag("cooling", true)
	if err != nil || respected {
		return false, err
	}
	return true, crossbar.Superduper(r)
}

// checkWish refuses data that asks for addresses in two ways, or in none that is read here: a success without an
// address would not be what the client meant.
func checkWish(r *crossbar.Request, data document.Document) error {
	_, named := data["ips"]
	_, asked := data["quantity"]
	switch {
	case r.HasFile():
		return fault.New(fault.UnsupportedMedia, "")
	case data["ips"] != nil && data["quantity"] != nil:
		return fault.Finding("quantity", "invalid", "quantity and ips exclude each other",
			map[string]any{"value": data["quantity"]})
	case !named && !asked && !onlyMetadata(data):
		return ipsRequired()
	}
	return nil
}

func ipsRequired() error {
	return fault.Finding("ips", "required", "Field is required but missing", map[string]any{"value": "ips"})
}

// releaseIPs handles DELETE /accounts/{account}/ips. The documentation releases everything when nothing is named;
// Crossbar releases nothing then. Data that names something else, or could not be read, is more likely a mistake than a
// wish to release everything.
func (s *Server) releaseIPs(r *crossbar.Request) (crossbar.Reply, error) {
	if err := r.RefuseIfMatch(); err != nil {
		return crossbar.Reply{}, err
	}
	data := ipsData(r)
	_, named := data["ips"]
	switch {
	case named || s.format(r) == Crossbar:
		addresses, err := s.addressesIn(data)
		if err != nil {
			return crossbar.Reply{}, err
		}
		ips, err := s.Pool.Release(r.Context(), dedicatedip.ReleaseRequest{
			Account: r.Account.ID, Addresses: addresses, By: actor(r),
		})
		return s.several(r, ips, err)
	case r.HasFile():
		return crossbar.Reply{}, fault.New(fault.UnsupportedMedia, "")
	case onlyMetadata(data) && !r.Query.Has("ips") && !r.Query.Has("ips[]"):
		ips, err := s.Pool.ReleaseAll(r.Context(), dedicatedip.ReleaseAllRequest{Account: r.Account.ID, By: actor(r)})
		return s.several(r, ips, err)
	}
	return crossbar.Reply{}, ipsRequired()
}

// onlyMetadata reports whether data holds nothing but what Monster UI adds to every request.
func onlyMetadata(data document.Document) bool {
	_, ok := data["ui_metadata"]
	return len(data) == 0 || ok && len(data) == 1
}

// ipsData returns data with "ips" in it; a bare list is taken for it, as Kazoo's property test sends it.
func ipsData(r *crossbar.Request) document.Document {
	if list, ok := r.Payload().([]any); ok {
		return document.Document{"ips": list}
	}
	return r.Data()
}

// format returns the format that the request asks for, else the one that is set.
func (s *Server) format(r *crossbar.Request) Format {
	if name := r.Query.Get("response_format"); name != "" {
		if f, ok := ParseFormat(name); ok {
			return f
		}
	}
	return s.Format
}

// one returns the reply to a request about one address.
func (s *Server) one(r *crossbar.Request, ips []dedicatedip.IP, err error) (crossbar.Reply, error) {
	if err != nil || s.format(r) == Crossbar {
		return s.several(r, ips, err)
	}
	return crossbar.Reply{Data: encodeAddress(ips[0].Address()), Revision: ips[0].Revision()}, nil
}

// several returns the reply to a request about a list. Crossbar's "error" is empty, since all or nothing is done here.
func (s *Server) several(r *crossbar.Request, ips []dedicatedip.IP, err error) (crossbar.Reply, error) {
	if err != nil {
		return crossbar.Reply{}, err
	}
	if s.format(r) == Crossbar {
		success := make(map[string]dedicatedip.Address, len(ips))
		for _, ip := range ips {
			success[ip.ID()] = ip.Address()
		}
		return crossbar.Reply{Data: map[string]any{"success": success, "error": map[string]any{}}}, nil
	}
	ids := make([]string, len(ips))
	for i, ip := range ips {
		ids[i] = ip.ID()
	}
	return crossbar.Reply{Data: map[string]any{"ips": ids}}, nil
}

// approval returns what asks billing before an account gets addresses, nil without a hook. The hook is asked
// after all that speaks against the addresses was looked at, as in Crossbar (cb_ips, crossbar_services:maybe_dry_run).
func (s *Server) approval(r *crossbar.Request, accountID string) dedicatedip.Approve {
	if s.Billing == nil {
		return nil
	}
	return func(ctx context.Context, quantity int) error {
		return s.Billing.Approve(ctx, billing.Proposal{
			AccountID:     accountID,
			AuthAccountID: r.Identity.AccountID,
			RequestID:     r.ID,
			Items:         []billing.Item{{Category: "ips", Item: "dedicated", Quantity: quantity}},
			AcceptCharges: r.Is("accept_charges"),
		})
	}
}

// actor returns who makes a request, for the history of what it changes: who logged in, where the token lets them act as
// another user.
func actor(r *crossbar.Request) history.Actor {
	who := r.Identity
	if who.By != nil {
		who = who.By
	}
	return history.Actor{
		AccountID: who.AccountID, UserID: who.OwnerID, RequestID: r.ID, Client: r.Client.String(), Source: history.API,
	}
}
