package billing

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"junctor/pkg/backoff"
	"junctor/pkg/httpclient"
)

const (
	// maxWaiting bounds how many accounts wait.
	maxWaiting = 10_000
	// reconcileTime bounds one call. Kazoo's reconcile goes up the tree of accounts.
	reconcileTime = 30 * time.Second
	// maxAttempts is how often a call is tried: with the pauses in between, for some twenty minutes.
	maxAttempts = 30
	// shutdownGrace is how long Run goes on after its context has ended.
	shutdownGrace = 2 * time.Second
)

// Pauses are the pauses after a reconcile call that failed.
type Pauses struct {
	Pause, LastPause time.Duration // the first one and the longest; 100 ms and a minute
}

// Queue makes the reconcile calls to one target, in the background, for accounts whose copies of addresses have
// changed. It is safe for concurrent use.
type Queue struct {
	event     string // for metrics
	reconcile func(ctx context.Context, accountID string) error
	pauses    Pauses
	observe   func(Call)
	log       zerolog.Logger
	http      *httpclient.Client
	wake      chan struct{} // an account was added

	mu      sync.Mutex
	entries []entry         // in the order of the calls
	waiting map[string]bool // the accounts in entries
	dropped uint64
}

// entry is an account that waits.
type entry struct {
	account  string
	attempts int        // so far
	trace    trace.Span // of the first change that waits
}

func newQueue(
	target, event string, reconcile func(ctx context.Context, accountID string) error, p Pauses, observe func(Call),
	log zerolog.Logger,
) *Queue {
	if observe == nil {
		observe = func(Call) {}
	}
	return &Queue{
		event: event, reconcile: reconcile, observe: observe, log: log.With().Str("target", target).Logger(),
		pauses: Pauses{cmp.Or(p.Pause, 100*time.Millisecond), cmp.Or(p.LastPause, time.Minute)},
		http:   httpclient.New(connectTime, maxConnections, maxBody), wake: make(chan struct{}, 1), waiting: map[string]bool{},
	}
}

// Close closes idle connections.
func (q *Queue) Close() { q.http.CloseIdleConnections() }

// Stats describes a Queue, for metrics.
type Stats struct {
	Waiting int    // accounts that wait for a call
	Dropped uint64 // calls that were given up, since the start
}

// Stats returns the present state.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Stats{Waiting: len(q.entries), Dropped: q.dropped}
}

// Reconcile queues an account whose copies have changed; Run makes the call, as part of the trace of ctx. It never blocks.
func (q *Queue) Reconcile(ctx context.Context, accountID string) {
	q.add(entry{account: accountID, trace: trace.SpanFromContext(ctx)})
}

// add puts an account behind all others, unless it waits already: one call is enough for both.
func (q *Queue) add(e entry) {
	q.mu.Lock()
	if !q.waiting[e.account] && len(q.entries) < maxWaiting {
		q.waiting[e.account] = true
		q.entries = append(q.entries, e)
	}
	waits := q.waiting[e.account]
	q.mu.Unlock()
	if !waits {
		q.giveUp(e, "too many accounts wait")
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take removes the account that comes next. What changes from then on takes another call.
func (q *Queue) take() (e entry, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 {
		return entry{}, false
	}
	e, q.entries = q.entries[0], q.entries[1:]
	delete(q.waiting, e.account)
	return e, true
}

// Run makes one call at a time until ctx ends, and then for a moment those that wait. After a failure it pauses, with
// backoff until a call succeeds, and goes on with another account.
func (q *Queue) Run(ctx context.Context) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() { time.AfterFunc(shutdownGrace, cancel) })
	for pauses := backoff.New(q.pauses.Pause, q.pauses.LastPause); ; {
		stopping := ctx.Err() != nil
		e, ok := q.take()
		switch {
		case !ok && stopping:
			return
		case !ok:
			select {
			case <-q.wake:
			case <-ctx.Done():
			}
		case lasting.Err() == nil && q.call(lasting, e):
			pauses.Reset()
		case stopping:
			q.giveUp(e, "the server stops")
		default:
			q.retry(e)
			_ = pauses.Wait(ctx)
		}
	}
}

// call makes the call for an account and reports whether it succeeded.
func (q *Queue) call(ctx context.Context, e entry) bool {
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(trace.ContextWithSpan(ctx, e.trace), reconcileTime, errTooLate)
	defer cancel()
	err := q.reconcile(ctx, e.account)
	outcome := Done
	if err != nil {
		outcome = Failed
		q.log.Warn().Err(err).Str("account", e.account).Int("attempt", e.attempts+1).Msg("a reconcile call failed")
	}
	q.observe(Call{Event: q.event, Outcome: outcome, Duration: time.Since(began)})
	return err == nil
}

// retry queues an account once more, unless that was often enough.
func (q *Queue) retry(e entry) {
	if e.attempts++; e.attempts >= maxAttempts {
		q.giveUp(e, "too many attempts")
		return
	}
	q.add(e)
}

func (q *Queue) giveUp(e entry, reason string) {
	q.mu.Lock()
	q.dropped++
	q.mu.Unlock()
	q.log.Error().Str("account", e.account).Str("reason", reason).
		Msg("given up on a reconcile call: the account's bill may be wrong until it changes again")
}
