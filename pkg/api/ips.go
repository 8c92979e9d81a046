package api

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"junctor/pkg/billing"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// listAvailable handles GET /ips and GET /accounts/{account}/ips.
func (s *Server) listAvailable(r *request) (reply, error) {
	f := dedicatedip.Filter{
		Zone:     given(r.query.Get("zone")),
		Quantity: count(r.query.Get("quantity")),
		PageSize: count(r.query.Get("page_size")),
		StartKey: given(r.query.Get("start_key")),
	}
	if r.query.Get("paginate") == "false" {
		f.PageSize, f.StartKey = 0, ""
	}
	f.Reading = func(rows int) error { return s.holdResponse(r, max(rows, unknownRows)*bytesPerRow) }
	if err := s.holdRows(r, f.Quantity, f.PageSize); err != nil {
		return reply{}, err
	}
	from := s.Pool.Read()
	page, err := from.Available(r.Context(), f)
	if err != nil {
		return reply{}, err
	}
	rep := reply{data: page.Items, next: page.Next, bypassed: from.Bypassed()}
	if f.PageSize > 0 {
		size := len(page.Items)
		rep.pageSize = &size
	}
	return rep, nil
}

// bytesPerRow is about what a row of a listing takes, its text included, until the response is encoded.
const bytesPerRow = 256

// unknownRows is how many rows a listing is taken to have until more are read, while the size of the pool is not known.
const unknownRows = 10_000

// holdRows makes sure that there is room for a listing of the pool, before it is made. Limits of 0 are none.
func (s *Server) holdRows(r *request, limits ...int) error {
	rows := unknownRows
	if look, _ := s.Pool.Memory(); look.Loaded {
		rows = look.Entries
	}
	for _, limit := range limits {
		if limit > 0 {
			rows = min(rows, limit)
		}
	}
	if rows*bytesPerRow <= largestBuffer { // as any response
		return nil
	}
	return s.holdResponse(r, rows*bytesPerRow)
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
func (s *Server) listAssigned(r *request) (reply, error) {
	from := s.Pool.Read()
	items, err := from.Assigned(r.Context(), r.account.ID)
	return reply{data: items, bypassed: from.Bypassed()}, err
}

// listAllAssigned handles GET /ips/assigned.
func (s *Server) listAllAssigned(r *request) (reply, error) {
	if err := s.holdRows(r); err != nil {
		return reply{}, err
	}
	from := s.Pool.Read()
	items, err := from.AssignedAll(r.Context())
	return reply{data: items, bypassed: from.Bypassed()}, err
}

// listZones handles GET …/ips/zones.
func (s *Server) listZones(r *request) (reply, error) {
	from := s.Pool.Read()
	zones, err := from.Zones(r.Context())
	return reply{data: zones, bypassed: from.Bypassed()}, err
}

// listHosts handles GET …/ips/hosts.
func (s *Server) listHosts(r *request) (reply, error) {
	from := s.Pool.Read()
	hosts, err := from.Hosts(r.Context())
	return reply{data: hosts, bypassed: from.Bypassed()}, err
}

// createIP handles PUT /ips, and PUT /accounts/{account}/ips, which the documentation's example uses and Crossbar
// refuses to everybody; it takes a superduper account either way.
func (s *Server) createIP(r *request) (reply, error) {
	if err := mustBeSuperduper(r); err != nil {
		return reply{}, err
	}
	data, err := r.newObject() // of a list Crossbar stores a nameless document
	if err != nil {
		return reply{}, err
	}
	if err := s.Schemas.Validate("ip", map[string]any(data)); err != nil {
		return reply{}, err
	}
	ip, err := s.Pool.Create(r.Context(), dedicatedip.CreateRequest{
		Address: data.String("ip"), Zone: data.String("zone"), Host: data.String("host"),
	})
	if err != nil {
		return reply{}, err
	}
	rep := reply{revision: ip.Revision(), metadata: ip.Private()}
	readOnly := map[string]any{"_read_only": stripped(ip.Private())}
	if s.format(r) == Crossbar {
		rep.data = readOnly
		return rep, nil
	}
	rep.data, err = withExtraKeys(ip, readOnly)
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

// withExtraKeys returns an ip object with more keys.
func withExtraKeys(ip dedicatedip.IP, more map[string]any) (document.Document, error) {
	text, err := document.Encode(ip.Address())
	if err != nil {
		return nil, err
	}
	object, err := document.Decode(text)
	if err == nil {
		maps.Copy(object, more)
	}
	return object, err
}

// getIP handles GET /ips/{ip} and GET /accounts/{account}/ips/{ip}. Who may not see the account that holds the
// address learns no more than about one that does not exist (Crossbar shows it).
func (s *Server) getIP(r *request) (reply, error) {
	address := r.vars["ip"]
	from := s.Pool.Read()
	ip, err := from.Get(r.Context(), ipaddr.Unbracket(address))
	if err == nil {
		err = s.mayShow(r, ip)
	}
	if fault.Is(err, fault.BadIdentifier) {
		err = &fault.Error{Kind: fault.BadIdentifier, Err: err,
			Data: map[string]any{"cause": address, "message": "bad identifier"}}
	}
	return reply{data: ip, revision: ip.Revision, bypassed: from.Bypassed()}, err
}

// mayShow returns fault.BadIdentifier for an address whose holder the token has no rights on.
func (s *Server) mayShow(r *request, ip dedicatedip.Address) error {
	holder := ip.AssignedTo
	if holder == "" || holder == r.identity.AccountID || r.identity.Superduper {
		return nil
	}
	if r.account != nil && holder == r.account.ID {
		return nil
	}
	target, err := s.Accounts.Get(r.Context(), holder)
	if err == nil && !r.identity.MaySee(target) {
		err = fault.New(fault.BadIdentifier, "")
	}
	return err
}

// deleteIP handles DELETE /ips/{ip}, which Crossbar 4.3 refuses whatever is asked. It is right about what is no
// address.
func (s *Server) deleteIP(r *request) (reply, error) {
	addresses, err := s.addressOf(r)
	if err != nil {
		return reply{}, err
	}
	ip, err := s.Pool.Delete(r.Context(), addresses[0], r.revisionMatch())
	if err != nil {
		return reply{}, err
	}
	gone := map[string]any{"deleted": true}
	data, err := withExtraKeys(ip, map[string]any{"_read_only": gone})
	return reply{data: data, revision: ip.Revision(), metadata: gone}, err
}

// addressOf returns the address in the path as a list of one, as the schema "ips" validates it.
func (s *Server) addressOf(r *request) ([]string, error) {
	address := ipaddr.Unbracket(r.vars["ip"])
	return []string{address}, s.Schemas.Validate("ips", map[string]any{"ips": []any{address}})
}

// assignIP handles POST /accounts/{account}/ips/{ip}. The address replaces data, as in cb_ips, so that nothing in it
// counts.
func (s *Server) assignIP(r *request) (reply, error) {
	r.body.data = nil
	addresses, err := s.addressOf(r)
	if err != nil {
		return reply{}, err
	}
	ips, err := s.Pool.Assign(r.Context(), dedicatedip.AssignRequest{
		Account: r.account.ID, Addresses: addresses, IfMatch: r.revisionMatch(), Approve: s.approval(r),
	})
	return s.one(r, ips, err)
}

// releaseIP handles DELETE /accounts/{account}/ips/{ip}.
func (s *Server) releaseIP(r *request) (reply, error) {
	addresses, err := s.addressOf(r)
	if err != nil {
		return reply{}, err
	}
	ips, err := s.Pool.Release(r.Context(), dedicatedip.ReleaseRequest{
		Account: r.account.ID, Addresses: addresses, IfMatch: r.revisionMatch(),
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
func (s *Server) assignIPs(r *request) (reply, error) {
	if err := r.refuseIfMatch(); err != nil {
		return reply{}, err
	}
	data := r.ipsData()
	if s.format(r) == Documented {
		if err := r.checkWish(data); err != nil {
			return reply{}, err
		}
	}
	if _, asked := data["quantity"]; asked && data["ips"] == nil {
		return s.allocateIPs(r, data)
	}
	addresses, err := s.addressesIn(data)
	if err != nil {
		return reply{}, err
	}
	ips, err := s.Pool.Assign(r.Context(), dedicatedip.AssignRequest{
		Account: r.account.ID, Addresses: addresses, Approve: s.approval(r),
	})
	return s.several(r, ips, err)
}

// allocateIPs assigns as many addresses as data asks for.
func (s *Server) allocateIPs(r *request, data document.Document) (reply, error) {
	if err := s.Schemas.Validate("ips_allocation", map[string]any(data)); err != nil {
		return reply{}, err
	}
	quantity, _ := data["quantity"].(json.Number)
	wanted, _ := quantity.Float64() // the schema takes 2.0 and 1e1 for whole numbers, as JSON Schema does
	ips, err := s.Pool.Allocate(r.Context(), dedicatedip.AllocateRequest{
		Account: r.account.ID, Quantity: int(wanted), Zone: data.String("zone"), Spread: data.Bool("spread"),
		Approve: s.approval(r),
	})
	return s.several(r, ips, err)
}

// checkWish refuses data that asks for addresses in two ways, or in none that is read here: a success without an
// address would not be what the client meant.
func (r *request) checkWish(data document.Document) error {
	_, named := data["ips"]
	_, asked := data["quantity"]
	switch {
	case r.body.unread:
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
func (s *Server) releaseIPs(r *request) (reply, error) {
	if err := r.refuseIfMatch(); err != nil {
		return reply{}, err
	}
	data := r.ipsData()
	_, named := data["ips"]
	switch {
	case named || s.format(r) == Crossbar:
		addresses, err := s.addressesIn(data)
		if err != nil {
			return reply{}, err
		}
		ips, err := s.Pool.Release(r.Context(), dedicatedip.ReleaseRequest{Account: r.account.ID, Addresses: addresses})
		return s.several(r, ips, err)
	case r.body.unread:
		return reply{}, fault.New(fault.UnsupportedMedia, "")
	case onlyMetadata(data) && !r.query.Has("ips") && !r.query.Has("ips[]"):
		ips, err := s.Pool.ReleaseAll(r.Context(), r.account.ID)
		return s.several(r, ips, err)
	}
	return reply{}, ipsRequired()
}

// onlyMetadata reports whether data holds nothing but what Monster UI adds to every request.
func onlyMetadata(data document.Document) bool {
	_, ok := data["ui_metadata"]
	return len(data) == 0 || ok && len(data) == 1
}

// ipsData returns data with "ips" in it; a bare list is taken for it, as Kazoo's property test sends it.
func (r *request) ipsData() document.Document {
	if list, ok := r.body.data.([]any); ok {
		return document.Document{"ips": list}
	}
	return r.data()
}

// refuseIfMatch refuses If-Match, other than "*", where what the path names has no revision.
func (r *request) refuseIfMatch() error {
	if wanted := r.Header.Values("If-Match"); len(wanted) > 0 && !match(wanted, "") {
		return fault.New(fault.PreconditionFailed, "")
	}
	return nil
}

// revisionMatch returns the check that If-Match asks for, nil if there is no such header.
func (r *request) revisionMatch() func(revision string) bool {
	wanted := r.Header.Values("If-Match")
	if len(wanted) == 0 {
		return nil
	}
	return func(revision string) bool { return match(wanted, revision) }
}

// format returns the format that the request asks for, else the one that is set.
func (s *Server) format(r *request) Format {
	if name := r.query.Get("response_format"); name != "" {
		if f, ok := ParseFormat(name); ok {
			return f
		}
	}
	return s.Format
}

// one returns the reply to a request about one address.
func (s *Server) one(r *request, ips []dedicatedip.IP, err error) (reply, error) {
	if err != nil || s.format(r) == Crossbar {
		return s.several(r, ips, err)
	}
	return reply{data: ips[0].Address(), revision: ips[0].Revision()}, nil
}

// several returns the reply to a request about a list. Crossbar's "error" is empty, since all or nothing is done here.
func (s *Server) several(r *request, ips []dedicatedip.IP, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	if s.format(r) == Crossbar {
		success := make(map[string]dedicatedip.Address, len(ips))
		for _, ip := range ips {
			success[ip.ID()] = ip.Address()
		}
		return reply{data: map[string]any{"success": success, "error": map[string]any{}}}, nil
	}
	ids := make([]string, len(ips))
	for i, ip := range ips {
		ids[i] = ip.ID()
	}
	return reply{data: map[string]any{"ips": ids}}, nil
}

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
