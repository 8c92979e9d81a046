package dedicatedip

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// Allocate assigns as many available addresses as data's "quantity" says to an account, all or none, and answers them
// by address. They are of data's "zone", or of any; with "spread" they are of all zones, in parts that are as equal as
// can be. What data may be is in the schema "ips_allocation".
//
// Candidates are drawn at random, and within this process no two requests draw the same. One that another process has
// taken is replaced by another one. Only when the store itself shows too few is the answer a fault.Conflict, whose data
// says under "available" how many there are, and where the pool has no address of the zone a fault.Invalid.
func (p *Pool) Allocate(ctx context.Context, accountID string, data map[string]any) ([]IP, error) {
	if err := p.schemas.Validate("ips_allocation", data); err != nil {
		return nil, err
	}
	replicated, err := p.store.Replicated(ctx, Database)
	if err != nil {
		return nil, err
	}
	a := &allocation{
		Pool: p, wanted: wantedOf(data), zone: document.Document(data).String("zone"),
		spread: document.Document(data).Bool("spread"), replicated: replicated, taken: map[string]int{},
	}
	if err := a.enough(ctx); err != nil { // nobody is to be asked for money for what there is not
		return nil, err
	}
	if err := p.approved(ctx, a.wanted); err != nil {
		return nil, err
	}
	if err := a.run(ctx, accountID); err != nil {
		a.giveBack(ctx, accountID)
		return nil, err
	}
	ips := a.won()
	logChange(ctx, actionAssigned, accountID, idsOf(ips)...)
	p.projector.Project(accountID, documentsOf(ips))
	return ips, nil
}

// wantedOf reads "quantity". The schema takes 2.0 and 1e1 for whole numbers, as JSON Schema has it.
func wantedOf(data map[string]any) int {
	number, _ := data["quantity"].(json.Number)
	wanted, _ := number.Float64()
	return int(wanted)
}

// allocation is one request on its way.
type allocation struct {
	*Pool
	wanted       int
	zone         string // empty is any
	spread       bool
	replicated   bool
	drawn        []spot // and reserved
	before       []IP   // what was tried to be taken
	after        []IP
	errs         []error        // what became of each
	taken        map[string]int // how many by zone
	takenOverall int
}

// enough answers an error where there are too few, unless memory shows that there are enough.
func (a *allocation) enough(ctx context.Context) error {
	if m := a.fresh(); m != nil && m.index.freeCount(a.zone) >= a.wanted {
		return nil
	}
	_, err := a.readLots(ctx, a.wanted)
	return err
}

// allocationTime bounds how long a request goes on while others hold what is there, and may yet give it back.
const allocationTime = 15 * time.Second

// run takes addresses until there are enough.
func (a *allocation) run(ctx context.Context, accountID string) error {
	deadline := time.Now().Add(allocationTime)
	for round := 0; a.takenOverall < a.wanted; round++ {
		if round > 0 {
			_ = sleep(ctx, rand.N(10*time.Millisecond<<min(round, 5)))
		}
		if time.Now().After(deadline) {
			return fault.New(fault.Busy, "")
		}
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.DatastoreUnreachable, err)
		}
		err := a.round(ctx, accountID)
		switch {
		case fault.Is(err, fault.Conflict) && a.takenOverall > 0: // what counts is what there is without these
			a.giveBack(ctx, accountID)
		case err != nil:
			return err
		}
	}
	return nil
}

// round takes what is missing, as far as no other process is faster. It writes nothing where requests of this process
// are about to assign some of it: they may yet fail.
func (a *allocation) round(ctx context.Context, accountID string) error {
	defer func() {
		a.reserved.free(a.drawn)
		a.drawn = nil
	}()
	missing := a.wanted - a.takenOverall
	find, err := a.draw(ctx, missing)
	if err != nil || len(a.drawn) < missing {
		return err
	}
	return a.take(ctx, accountID, find)
}

// draw reserves as many addresses as are missing: of those in memory, or else of those that the store has now. It
// answers how to find their documents.
func (a *allocation) draw(ctx context.Context, missing int) (finder, error) {
	if m := a.fresh(); m != nil {
		a.drawFrom(m.index.lots(a.zone), missing)
	}
	if len(a.drawn) == missing {
		return a.recall, nil
	}
	lots, err := a.readLots(ctx, missing)
	if err == nil {
		a.drawFrom(lots, missing)
	}
	return a.lookup, err
}

// tooFew is why a request gets nothing where fewer addresses are available than it asks for. In a zone without any
// address no later attempt would succeed either.
func (a *allocation) tooFew(ctx context.Context, available int) error {
	data := map[string]any{"available": available, "quantity": a.wanted}
	if a.zone != "" {
		data["zone"] = a.zone
		known, err := a.hasZone(ctx, a.zone)
		if err != nil {
			return err
		}
		if !known {
			return fault.Finding("zone", "not_found", "zone not found", map[string]any{"value": a.zone})
		}
	}
	return &fault.Error{Kind: fault.Conflict, Message: "not_enough_ips", Data: data}
}

// take assigns what was drawn, as far as it is still free.
func (a *allocation) take(ctx context.Context, accountID string, find finder) error {
	ids, zones := make([]string, len(a.drawn)), map[string]string{}
	for i, s := range a.drawn {
		ids[i], zones[s.id] = s.id, s.zone
	}
	found, err := find(ctx, ids)
	if err != nil {
		return err
	}
	at := a.time()
	var before, after []IP
	for _, id := range ids {
		if ip, ok := found[id]; ok && ip.ID() == id && ip.free() {
			before, after = append(before, ip), append(after, ip.assignTo(accountID, at))
		}
	}
	if len(after) == 0 {
		return nil
	}
	errs := a.commit(ctx, after, a.replicated)
	a.before, a.after, a.errs = append(a.before, before...), append(a.after, after...), append(a.errs, errs...)
	for i, err := range errs {
		switch {
		case err == nil:
			a.taken[zones[after[i].ID()]]++
			a.takenOverall++
		case !fault.Is(err, fault.Conflict):
			return err
		}
	}
	return nil
}

// giveBack releases what was taken.
func (a *allocation) giveBack(ctx context.Context, accountID string) {
	a.undo(ctx, accountID, a.before, a.after, a.errs)
	a.before, a.after, a.errs, a.takenOverall = nil, nil, nil, 0
	clear(a.taken)
}

// won answers what was taken, by address.
func (a *allocation) won() (ips []IP) {
	for i, err := range a.errs {
		if err == nil {
			ips = append(ips, a.after[i])
		}
	}
	slices.SortFunc(ips, func(x, y IP) int { return ipaddr.Compare(x.ID(), y.ID()) })
	return ips
}
