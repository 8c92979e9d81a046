package billing

import (
	"context"
	"fmt"
	"time"

	"junctor/pkg/backoff"
)

const (
	// reconcileTime bounds one call. Kazoo's reconcile goes up the tree of accounts.
	reconcileTime = 30 * time.Second
	// maxAttempts is how often the hook is told of one change: with the pauses in between, for some twenty minutes.
	maxAttempts = 30
	// farewell is how long Run goes on after it is told to end.
	farewell = 2 * time.Second
)

// Stats is a look at a Hook, for metrics.
type Stats struct {
	Waiting int    // accounts that the hook is to be told of
	Dropped uint64 // changes it was not told of and will not be, since the start
}

// Stats answers how reconciling is getting on.
func (h *Hook) Stats() Stats { return h.backlog.stats() }

// Reconcile notes that what an account has is another. The hook is told by Run; nobody waits for it.
func (h *Hook) Reconcile(accountID string) {
	if h == nil || h.backlog.add(accountID) {
		return
	}
	h.options.Log.Error().Str("account", accountID).
		Msg("too many accounts wait for the billing hook: it is not told of this one, whose bill may be wrong")
}

// Run tells the hook what is noted, one account at a time, until ctx ends, and then for a moment what still waits.
// After a failure it rests, longer each time until something succeeds, and goes on with another account.
func (h *Hook) Run(ctx context.Context) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })
	defer stop()

	pauses := backoff.New(h.options.Pause, h.options.LastPause)
	for sending.Err() == nil {
		ending := ctx.Err() != nil
		e, ok := h.backlog.take()
		switch {
		case !ok && ending:
			return
		case !ok:
			select {
			case <-h.backlog.wake:
			case <-ctx.Done():
			}
		case h.reconcile(sending, e):
			pauses.Reset()
		case ending:
			h.giveUp(e, "the server stops")
		default:
			h.again(e)
			_ = pauses.Wait(ctx)
		}
	}
	for e, ok := h.backlog.take(); ok; e, ok = h.backlog.take() {
		h.giveUp(e, "the server stops")
	}
}

// reconcile tells the hook of an account and reports whether it has heard.
func (h *Hook) reconcile(ctx context.Context, e entry) bool {
	began := time.Now()
	err := h.tell(ctx, e.account)
	outcome := Done
	if err != nil {
		outcome = Failed
	}
	h.options.Observe(Call{Event: Reconcile, Outcome: outcome, Duration: time.Since(began)})
	if err == nil {
		return true
	}
	h.options.Log.Warn().Err(err).Str("account", e.account).Int("attempt", e.attempts+1).
		Msg("the billing hook was not told of a change")
	return false
}

// again lets an account wait once more, unless that was often enough.
func (h *Hook) again(e entry) {
	if e.attempts++; e.attempts < maxAttempts {
		h.backlog.again(e)
		return
	}
	h.giveUp(e, "too many attempts")
}

func (h *Hook) tell(ctx context.Context, account string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reconcileTime, errTooLate)
	defer cancel()
	a, err := h.post(ctx, "", header{protocol, Reconcile, account})
	if err == nil && a.status/100 != 2 {
		err = fmt.Errorf("the hook answers with status %d", a.status)
	}
	return err
}

func (h *Hook) giveUp(e entry, reason string) {
	h.backlog.drop()
	h.options.Log.Error().Str("account", e.account).Str("reason", reason).
		Msg("given up telling the billing hook of this account, whose bill may be wrong until it changes again")
}
