package billing

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
)

const (
	// reconcileTime bounds one call. Kazoo's reconcile goes up the tree of accounts.
	reconcileTime = 30 * time.Second
	// maxAttempts is how often a target is told of one change: with the pauses in between, for some twenty minutes.
	maxAttempts = 30
	// farewell is how long Run goes on after it is told to end.
	farewell = 2 * time.Second
)

// Pauses are the pauses after a reconcile call that failed.
type Pauses struct {
	Pause, LastPause time.Duration // the first one and the longest; 100 ms and a minute
}

// Queue tells one target of accounts whose copies of addresses have changed, in the background. Each account waits at
// most once. It is safe for concurrent use.
type Queue struct {
	target  string // for logs
	event   string // for metrics
	tell    func(ctx context.Context, accountID string) error
	pauses  Pauses
	observe func(Call)
	log     zerolog.Logger
	backlog *backlog
}

func newQueue(
	target, event string, tell func(ctx context.Context, accountID string) error, p Pauses, observe func(Call),
	log zerolog.Logger,
) *Queue {
	p.Pause, p.LastPause = or(p.Pause, 100*time.Millisecond), or(p.LastPause, time.Minute)
	if observe == nil {
		observe = func(Call) {}
	}
	return &Queue{target: target, event: event, tell: tell, pauses: p, observe: observe,
		log: log.With().Str("target", target).Logger(), backlog: newBacklog()}
}

// Stats is a look at a Queue, for metrics.
type Stats struct {
	Waiting int    // accounts that the target is to be told of
	Dropped uint64 // changes it was not told of and will not be, since the start
}

// Stats returns how reconciling is getting on.
func (q *Queue) Stats() Stats { return q.backlog.stats() }

// Reconcile queues an account whose copies have changed; Run calls the target. It never blocks.
func (q *Queue) Reconcile(accountID string) {
	if q.backlog.add(accountID) {
		return
	}
	q.log.Error().Str("account", accountID).
		Msg("too many accounts wait for a reconcile call: this one is dropped, and its bill may be wrong until it changes again")
}

// Run tells the target of what is queued, one account at a time, until ctx ends, and then for a moment of what still
// waits. After a failure it pauses, with backoff until a call succeeds, and goes on with another account.
func (q *Queue) Run(ctx context.Context) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })
	defer stop()

	pauses := backoff.New(q.pauses.Pause, q.pauses.LastPause)
	for sending.Err() == nil {
		ending := ctx.Err() != nil
		e, ok := q.backlog.take()
		switch {
		case !ok && ending:
			return
		case !ok:
			select {
			case <-q.backlog.wake:
			case <-ctx.Done():
			}
		case q.reconcile(sending, e):
			pauses.Reset()
		case ending:
			q.giveUp(e, "the server stops")
		default:
			q.again(e)
			_ = pauses.Wait(ctx)
		}
	}
	for e, ok := q.backlog.take(); ok; e, ok = q.backlog.take() {
		q.giveUp(e, "the server stops")
	}
}

// reconcile tells the target of an account and reports whether it has taken that.
func (q *Queue) reconcile(ctx context.Context, e entry) bool {
	began := time.Now()
	calling, cancel := context.WithTimeoutCause(ctx, reconcileTime, errTooLate)
	defer cancel()
	err := q.tell(calling, e.account)
	outcome := Done
	if err != nil {
		outcome = Failed
	}
	q.observe(Call{Event: q.event, Outcome: outcome, Duration: time.Since(began)})
	if err == nil {
		return true
	}
	q.log.Warn().Err(err).Str("account", e.account).Int("attempt", e.attempts+1).
		Msg("a reconcile call failed")
	return false
}

// again lets an account wait once more, unless that was often enough.
func (q *Queue) again(e entry) {
	if e.attempts++; e.attempts < maxAttempts {
		q.backlog.again(e)
		return
	}
	q.giveUp(e, "too many attempts")
}

func (q *Queue) giveUp(e entry, reason string) {
	q.backlog.drop()
	q.log.Error().Str("account", e.account).Str("reason", reason).
		Msg("given up on a reconcile call: the account's bill may be wrong until it changes again")
}
