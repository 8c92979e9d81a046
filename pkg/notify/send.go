package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"junctor/pkg/backoff"
)

// firstPause is the first between two attempts at anything.
const firstPause = 100 * time.Millisecond

// Run publishes notices until ctx ends, and then, if the broker is there, for a moment those that wait.
func (p *Publisher) Run(ctx context.Context) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() { time.AfterFunc(p.limits.grace, cancel) })
	for pauses := backoff.New(firstPause, p.limits.pause); ctx.Err() == nil; {
		if !p.replayIfDue(ctx) {
			p.renewCheckpoint(ctx)
		}
		before := p.Stats().Confirmed
		err := p.session(ctx, lasting)
		if ctx.Err() != nil {
			return
		}
		now := p.Stats()
		if now.Confirmed > before {
			pauses.Reset()
		}
		pause := pauses.Next()
		p.options.Log.Warn().Err(err).Stringer("again_in", pause).Int("waiting", now.Waiting).
			Msg("change notices wait: the broker can't be used")
		_ = backoff.Sleep(ctx, pause)
	}
}

// session connects and publishes until the connection breaks, or until ctx has ended and the queue is empty. The
// connection lasts for lasting.
func (p *Publisher) session(ctx, lasting context.Context) error {
	lasting, cancel := context.WithCancel(lasting)
	defer cancel()
	c, err := dial(lasting, p.options.URL, p.options.Node)
	if err != nil {
		return err
	}
	defer c.close()
	p.connected.Store(true)
	defer p.connected.Store(false)
	p.options.Log.Info().Msg("connected to the broker of change notices")
	tick := time.NewTicker(p.limits.every)
	defer tick.Stop()
	for {
		if err := p.flush(ctx, c); err != nil {
			return err
		}
		if p.replayIfDue(ctx) && ctx.Err() == nil {
			continue
		}
		select {
		case <-p.wake:
		case <-tick.C:
			p.renewCheckpoint(ctx)
		case reason := <-c.broken:
			if reason == nil { // closed in good order
				return amqp.ErrClosed
			}
			return reason
		case <-ctx.Done():
			return p.flush(ctx, c)
		}
	}
}

// flush sends what is queued until the queue is empty. It returns an error if the connection broke, or if ctx has ended
// and no queue takes some notices.
func (p *Publisher) flush(ctx context.Context, c *connection) error {
	for retries := backoff.New(firstPause, p.limits.pause/5); ; {
		batch := p.next()
		if len(batch) == 0 {
			return nil
		}
		returned, err := p.send(c, batch)
		if err != nil {
			return err
		}
		if !returned {
			retries.Reset()
		} else if err := retries.Wait(ctx); err != nil {
			return err
		}
	}
}

// batchSize is how many notices are sent before the first confirm is waited for.
const batchSize = 256

// next returns the notices to send next. They stay in the queue until they are confirmed.
func (p *Publisher) next() []*notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue[:min(len(p.queue), batchSize)]
}

var errUnconfirmed = errors.New("the broker did not confirm a notice")

// send sends the first notices of the queue, waits until the broker has confirmed them, and leaves those in the queue
// that have to be sent again: the unconfirmed ones, and for a time those that no queue took. It reports whether there
// are any of the latter.
func (p *Publisher) send(c *connection, batch []*notice) (again bool, failed error) {
	var pending []*amqp.DeferredConfirmation
	for _, n := range batch {
		confirmation, err := c.publish(n.message)
		if err != nil {
			failed = err
			break
		}
		pending = append(pending, confirmation)
	}
	confirmed := make([]bool, len(batch))
	for i, confirmation := range pending {
		confirmed[i] = confirmation.Wait() // false if the connection breaks
		if !confirmed[i] && failed == nil {
			failed = errUnconfirmed
		}
	}
	returned := c.takeReturned()
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []*notice
	passed := map[subject]bool{} // a later notice of it was taken
	for i, n := range slices.Backward(batch) {
		switch {
		case confirmed[i] && !returned[n.message.MsgID]:
			p.confirmed++
			passed[n.subject] = true
		case passed[n.subject]:
		case !confirmed[i] || p.mayBind():
			rest = append(rest, n)
		default:
			p.dropped++
		}
	}
	if len(returned) == 0 && failed == nil {
		p.unbound = time.Time{}
	}
	slices.Reverse(rest)
	p.queue = append(rest, p.queue[len(batch):]...)
	return len(rest) > 0, failed
}

// mayBind reports whether a notice that no queue took is worth sending again: Kazoo's nodes may come back soon, as
// after a restart of the broker.
func (p *Publisher) mayBind() bool {
	if p.unbound.IsZero() {
		p.unbound = time.Now()
		p.options.Log.Warn().Stringer("for", p.limits.bind).
			Msg("no queue takes change notices: no Kazoo node is connected to the broker. They are sent again for a time")
	}
	return time.Since(p.unbound) < p.limits.bind
}
