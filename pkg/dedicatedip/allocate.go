package dedicatedip

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/cooling"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/pooldb"
	"junctor/pkg/poolindex"
)

// AllocateRequest asks for available addresses, whichever they are.
type AllocateRequest struct {
	Account  string
	Quantity int    // above 0
	Zone     string // empty means any
	Spread   bool   // take them from all zones, in parts that are as equal as can be
	Approve  Approve
	By       history.Actor
	Own      bool // the account asks for itself: Settings.MaxPerAccount applies
	// IgnoreCooling takes addresses that are cooling, too.
	IgnoreCooling bool
}

// Allocate assigns available addresses to an account, all or none, and returns them by address. None of them is cooling
// unless the request ignores that, also none that the account itself gave back.
//
// Candidates are drawn at random, and within this process no two requests draw the same. A candidate that another
// process has taken is replaced by another one. Only if the store itself shows too few, the error is a fault.Conflict,
// whose data says under "available" how many there are; if the pool has no address of the zone, it is a fault.Invalid.
func (p *Pool) Allocate(ctx context.Context, r AllocateRequest) ([]IP, error) {
	a := &allocation{Pool: p, AllocateRequest: r}
	if r.Own {
		if err := p.checkMaximum(ctx, r.Account, "quantity", r.Quantity); err != nil {
			return nil, err
		}
	}
	if !r.IgnoreCooling {
		var err error
		if a.cooling, err = p.Cooling(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.enough(ctx); err != nil { // before the account is asked to accept charges
		return nil, err
	}
	if r.Approve != nil {
		if err := r.Approve(ctx, r.Quantity); err != nil {
			return nil, err
		}
	}
	if err := a.run(ctx); err != nil {
		a.rollBack(ctx)
		return nil, err
	}
	ips := a.won()
	slices.SortFunc(ips, func(x, y IP) int { return ipaddr.Compare(x.ID(), y.ID()) })
	logChange(ctx, history.Event{Action: history.Assigned, To: r.Account}, idsOf(ips)...)
	p.projector.Project(ctx, documentsOf(ips), r.Account)
	return ips, nil
}

// allocation is an AllocateRequest in progress.
type allocation struct {
	*Pool
	AllocateRequest
	cooling cooling.Rule
	lost    int              // rounds in which others were faster
	drawn   []poolindex.Spot // and reserved
	began   time.Time        // when the last writes began
	writes  []write          // of all rounds
}

// enough returns an error if there are too few addresses, unless memory shows that there are enough.
func (a *allocation) enough(ctx context.Context) error {
	if x := a.Read().index; x != nil && x.CountAvailable(a.Zone, a.cooling.Since()) >= a.Quantity {
		return nil
	}
	_, err := a.readLots(ctx, a.Quantity)
	return err
}

// allocationTime bounds how long a request goes on while others hold what is there, and may yet give it back. After a
// round of slowRound it does not begin another one: a node of a CouchDB cluster may hang, and then each takes 4 s.
const (
	allocationTime = 15 * time.Second
	slowRound      = 3 * time.Second
)

// run takes addresses until there are enough.
func (a *allocation) run(ctx context.Context) error {
	deadline := time.Now().Add(allocationTime)
	var took time.Duration // by the last round
	for round := 0; len(a.won()) < a.Quantity; round++ {
		if round > 0 {
			_ = backoff.Sleep(ctx, rand.N(10*time.Millisecond<<min(round, 5)))
		}
		began := time.Now()
		if began.After(deadline) || took > slowRound {
			return fault.New(fault.Busy, "")
		}
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.DatastoreUnreachable, err)
		}
		err := a.round(ctx)
		took = time.Since(began)
		switch {
		case fault.Is(err, fault.Conflict) && len(a.won()) > 0: // what counts is what there is without these
			a.rollBack(ctx)
		case err != nil:
			return err
		}
	}
	return nil
}

// round takes what is missing, as far as no other process is faster. It writes nothing where requests of this process
// are about to assign some of it: they may yet fail.
func (a *allocation) round(ctx context.Context) error {
	defer func() {
		a.reserved.Free(a.drawn)
		a.drawn = nil
	}()
	missing := a.Quantity - len(a.won())
	from, err := a.draw(ctx, missing)
	if err != nil || len(a.drawn) < missing {
		return err
	}
	err = a.take(ctx, from)
	if len(a.won()) < a.Quantity {
		a.lost++
	}
	return err
}

// memoryRounds is how many rounds may draw from memory what others have taken. Then the store is read: memory shows such
// addresses until the feed has delivered what became of them. Where the feed is not late the first rounds are enough, and
// cheaper.
const memoryRounds = 3

// draw reserves as many addresses as are missing: of those in memory, or else of those that the store has now. It
// returns what finds their documents.
func (a *allocation) draw(ctx context.Context, missing int) (from Reader, err error) {
	from = a.Read()
	if from.index != nil && a.lost < memoryRounds {
		a.drawFrom(from.index.Lots(a.Zone, a.cooling.Since()), missing)
	}
	if len(a.drawn) == missing {
		return from, nil
	}
	lots, err := a.readLots(ctx, missing)
	if err == nil {
		a.drawFrom(lots, missing)
	}
	return Reader{pool: a.Pool}, err
}

// tooFew is why a request gets nothing where fewer addresses are available than it asks for. In a zone without any
// address no later attempt would succeed either.
func (a *allocation) tooFew(ctx context.Context, available int) error {
	data := map[string]any{"available": available, "quantity": a.Quantity}
	if a.Zone != "" {
		data["zone"] = a.Zone
		known, err := pooldb.HasZone(ctx, a.store, a.Zone)
		if err != nil {
			return err
		}
		if !known {
			return fault.Finding("zone", "not_found", "zone not found", map[string]any{"value": a.Zone})
		}
	}
	return &fault.Error{Kind: fault.Conflict, Message: "not_enough_ips", Data: data}
}

// take assigns what was drawn, as far as it is still free.
func (a *allocation) take(ctx context.Context, from Reader) error {
	ids := make([]string, len(a.drawn))
	for i, s := range a.drawn {
		ids[i] = s.ID
	}
	found, err := from.recall(ctx, ids)
	if err != nil {
		return err
	}
	at := a.now()
	var writes []write
	for _, id := range ids {
		if ip, ok := found[id]; ok && ip.ID() == id && ip.free() && ip.coolingUntil(a.cooling) == 0 {
			writes = append(writes, write{before: ip, after: ip.assignTo(a.Account, a.By, at)})
		}
	}
	if len(writes) == 0 {
		return nil
	}
	a.began = time.Now()
	a.commit(ctx, writes)
	a.writes = append(a.writes, writes...)
	for _, w := range writes {
		if w.err != nil && !fault.Is(w.err, fault.Conflict) {
			return w.err
		}
	}
	return nil
}

// rollBack releases what was taken.
func (a *allocation) rollBack(ctx context.Context) {
	a.undo(ctx, a.began, []string{a.Account}, a.By, a.writes)
	a.writes = nil
}

// won returns what was taken.
func (a *allocation) won() (ips []IP) {
	for _, w := range a.writes {
		if w.err == nil {
			ips = append(ips, w.after)
		}
	}
	return ips
}
