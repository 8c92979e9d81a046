package projection

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/backoff"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// ReconcilerStore is what a Reconciler needs of a store.
type ReconcilerStore interface {
	ViewStore
	CreateDatabase(ctx context.Context, db string) error
	Update(ctx context.Context, db, id string, change func(document.Document) error) (document.Document, error)
}

// ReconcilerOptions configures a Reconciler. The zero value is usable.
type ReconcilerOptions struct {
	// Passed is called with how each full pass of this process ended: one of PassResults. Nil disables it.
	Passed func(result string)
	// Patience is how long a pass waits for the copies of one account before it goes on to the next. Zero means 10 s.
	Patience time.Duration
	// Now is the clock. Nil is the real one.
	Now func() time.Time
}

// Reconciler makes full passes over the accounts' copies: it compares all of them with the pool, and has those that
// differ written. It finds what leaves no trace in the pool's feed: a copy that was edited by hand, a change that no
// process followed.
//
// It makes a pass at the start, at intervals, and on demand. Any number of processes may run one each: a lease keeps
// their passes apart.
type Reconciler struct {
	projector *Projector
	store     ReconcilerStore
	options   ReconcilerOptions
	id        string // of this process, in the lease
}

// NewReconciler returns a Reconciler that has a projector write what differs.
func NewReconciler(p *Projector, s ReconcilerStore, o ReconcilerOptions) *Reconciler {
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	if o.Passed == nil {
		o.Passed = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reconciler{projector: p, store: s, options: o, id: rand.Text()}
}

// Results of a full pass, as ReconcilerOptions.Passed gets them.
const (
	PassCompleted  = "completed"
	PassFailed     = "failed"      // the store failed, or another process took over; it is tried again
	PassNoProgress = "no_progress" // a paged read repeated itself
	PassStopped    = "stopped"     // it would have removed too many copies, see TooManyRemovalsError
)

// PassResults lists the results of full passes.
func PassResults() []string { return []string{PassCompleted, PassFailed, PassNoProgress, PassStopped} }

// passResult classifies how a full pass ended.
func passResult(err error) string {
	_, stopped := errors.AsType[*TooManyRemovalsError](err)
	switch {
	case err == nil:
		return PassCompleted
	case errors.Is(err, store.ErrNoProgress):
		return PassNoProgress
	case stopped:
		return PassStopped
	}
	return PassFailed
}

// passInterval is the time between full passes that nobody asks for.
const passInterval = time.Hour

// Run makes full passes until ctx ends. One that another process makes counts as well. One that fails is tried again
// with backoff, unless it could only end in the same way. Run has to end before the store is closed.
func (r *Reconciler) Run(ctx context.Context) {
	pauses := backoff.New(firstPause, lastPause)
	asked := r.options.Now()
	for {
		err := r.passSince(ctx, asked, false)
		pause := passInterval
		if passResult(err) == PassFailed && !errors.Is(err, errUnfinished) && ctx.Err() == nil {
			pause = pauses.Next()
			r.projector.options.Log.Warn().Err(err).Stringer("pause", pause.Round(time.Millisecond)).
				Msg("the full pass over all accounts broke off; trying again after the pause")
		} else {
			pauses.Reset()
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			asked = r.options.Now().Add(-passInterval / 2)
		case <-r.projector.passRequested:
			timer.Stop()
			asked = r.options.Now()
		}
	}
}

// Repair makes a full pass over all accounts, or waits for one that another process makes. Two passes never run at once.
// A failure of the store ends it, and a TooManyRemovalsError unless confirmed says that any number of copies may be
// removed.
func (r *Reconciler) Repair(ctx context.Context, confirmed bool) error {
	return r.passSince(ctx, r.options.Now(), confirmed)
}

// passSince returns once there has been a full pass that began after asked.
func (r *Reconciler) passSince(ctx context.Context, asked time.Time, confirmed bool) error {
	l, err := r.acquire(ctx, asked)
	if err != nil || l == nil {
		return err
	}
	p := &pass{lease: l, differences: map[string][]difference{}}
	err = l.hold(ctx, func(ctx context.Context) error { return p.run(ctx, confirmed) })
	if released := l.release(ctx, err == nil); err == nil {
		err = released
	}
	if ctx.Err() != nil {
		return err
	}
	result := passResult(err)
	log := r.projector.options.Log
	event := log.Debug()
	if result == PassNoProgress || result == PassStopped {
		event = log.Error()
	}
	event.Err(err).Str("result", result).Int("accounts", p.accounts).Int("copies", p.copies).
		Dur("duration_ms", r.options.Now().Sub(l.began)).Msg("full pass over the copies of all accounts")
	r.options.Passed(result)
	return err
}

// pass is one full pass. It compares all copies before it has any written.
type pass struct {
	*lease
	accounts    int // that were compared
	copies      int
	differences map[string][]difference // by account
}

// ErrPoolMissing says that the database of the pool has existed and is gone.
var ErrPoolMissing = errors.New("database " + kazoo.DedicatedIPs + " is gone: restore it, or make it again with " +
	"\"junctor ips rebuild --from-copies\"")

func (p *pass) run(ctx context.Context, confirmed bool) error {
	v := views{p.store}
	held, err := v.heldByAccount(ctx)
	if fault.Is(err, fault.DatastoreMissing) {
		return fmt.Errorf("%w (%w)", ErrPoolMissing, err)
	}
	if err != nil {
		return err
	}
	w := walk{views: v, held: held, limit: -1, found: p.found, abandoned: p.projector.reportAbandoned}
	if _, err := w.run(ctx); err != nil {
		return err
	}
	if !confirmed {
		if err := p.checkRemovals(); err != nil {
			return err
		}
	}
	var unfinished []string
	for _, accountID := range slices.Sorted(maps.Keys(p.differences)) {
		var ids []string
		for _, d := range p.differences[accountID] {
			ids = append(ids, d.write.ID())
		}
		waiting, cancel := context.WithTimeout(ctx, p.options.Patience)
		err := p.projector.Repair(waiting, accountID, ids)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			unfinished = append(unfinished, accountID)
		}
	}
	if len(unfinished) > 0 {
		return fmt.Errorf("%w: %d, such as %s", errUnfinished, len(unfinished), unfinished[0])
	}
	return ctx.Err()
}

// errUnfinished ends a pass that has compared all copies, some of which could not be written. The projector goes on
// trying.
var errUnfinished = errors.New("the copies of some accounts are not repaired yet; the log says why, and they are tried again")

func (p *pass) found(accountID string, differences []difference, copies int) {
	p.accounts++
	p.copies += copies
	if len(differences) > 0 {
		p.differences[accountID] = differences
	}
}

// A full pass may remove this many copies without a reason that the pool shows, or this share of those it saw.
const (
	harmlessRemovals = 10
	harmlessPercent  = 10
)

// TooManyRemovalsError stops a full pass before it writes any copy: so many would go that the pool is more likely to be
// incomplete than the copies to be wrong, and they may be the last record of who held what.
type TooManyRemovalsError struct{ Removals, Copies int }

func (e *TooManyRemovalsError) Error() string {
	return fmt.Sprintf("a full pass would remove %d of the accounts' %d copies of addresses, so it has stopped: is %s "+
		"incomplete? If so, restore it or run \"junctor ips rebuild --from-copies\"; if not, run "+
		"\"junctor ips repair --confirm\"", e.Removals, e.Copies, kazoo.DedicatedIPs)
}

// checkRemovals stops a pass that would remove too many copies. It leaves copies of an address alone that several
// accounts have and the pool does not explain, as after a rebuild: the copies are the only record of it.
func (p *pass) checkRemovals() error {
	removals, claimants := 0, map[string]int{} // by address
	for _, differences := range p.differences {
		for _, d := range differences {
			if d.unexplained {
				removals++
				claimants[ipaddr.KeyOf(d.write.ID())]++
			}
		}
	}
	if removals > harmlessRemovals && removals*100 > p.copies*harmlessPercent {
		return &TooManyRemovalsError{Removals: removals, Copies: p.copies}
	}
	for accountID, differences := range p.differences {
		p.differences[accountID] = slices.DeleteFunc(differences, func(d difference) bool {
			accounts := claimants[ipaddr.KeyOf(d.write.ID())]
			if !d.unexplained || accounts < 2 {
				return false
			}
			p.projector.options.Log.Error().Str("ip", d.write.ID()).Str("account", accountID).Int("accounts", accounts).
				Msg("several accounts have copies of an address that the pool does not know as theirs: assign it to its holder")
			return true
		})
	}
	return nil
}

// Copies reads the copies of all accounts. No full pass is made meanwhile.
type Copies struct{ views }

// WithoutPasses calls do while no process makes a full pass. The context of do ends if another process may begin one.
func (r *Reconciler) WithoutPasses(ctx context.Context, do func(context.Context, Copies) error) error {
	if err := r.store.CreateDatabase(ctx, StateDatabase); err != nil {
		return err
	}
	never := r.options.Now().Add(100 * 365 * 24 * time.Hour) // no pass that was made replaces this
	l, err := r.acquire(ctx, never)
	if err != nil {
		return err
	}
	err = l.hold(ctx, func(ctx context.Context) error { return do(ctx, Copies{views{r.store}}) })
	if released := l.release(ctx, false); err == nil {
		err = released
	}
	return err
}

// Each calls each with the copies that an account has, some at a time. It returns how many accounts there are.
func (c Copies) Each(ctx context.Context, each func(accountID string, copies []document.Document) error) (int, error) {
	accounts, err := account.IDs(ctx, c.store)
	if err != nil {
		return 0, err
	}
	for _, accountID := range accounts {
		ids, err := c.copies(ctx, accountID)
		if err != nil {
			return 0, err
		}
		for some := range slices.Chunk(ids, chunk) {
			copies, err := c.documents(ctx, accountID, some)
			if err == nil {
				err = each(accountID, copies)
			}
			if err != nil {
				return 0, err
			}
		}
	}
	return len(accounts), nil
}
