package notify

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"junctor/pkg/backoff"
)

// farewell is how long Run goes on sending after its context has ended.
const farewell = 2 * time.Second

// Run publishes notices until ctx ends, and then, if the broker is there, for a moment those that wait.
func (p *Publisher) Run(ctx context.Context) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })
	defer stop()
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { p.keepCheckpoint(ctx) })
	others.Go(func() { p.keepReplaying(ctx) })
	for pauses := backoff.New(firstPause, p.limits.pause); ctx.Err() == nil; {
		before := p.Stats().Confirmed
		err := p.session(ctx, sending)
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

// session connects and sends until the connection breaks, or until ctx has ended and the queue is empty.
func (p *Publisher) session(ctx, sending context.Context) error {
	c, err := dial(sending, p.options.URL, p.options.Node)
	if err != nil {
		return err
	}
	defer c.close()
	p.setConnected(true)
	defer p.setConnected(false)
	p.options.Log.Info().Msg("connected to the broker of change notices")
	for retries := backoff.New(firstPause, p.limits.pause/5); ; {
		batch := p.take()
		wake, again := p.wake, (<-chan time.Time)(nil)
		if len(batch) > 0 {
			retry, err := p.send(sending, c, batch)
			if err != nil {
				return err
			}
			if !retry {
				retries.Reset()
				continue
			}
			wake, again = nil, time.After(retries.Next())
		}
		select {
		case <-wake:
		case <-again:
		case reason := <-c.broken:
			if reason == nil { // closed in good order
				return amqp.ErrClosed
			}
			return reason
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *Publisher) setConnected(is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connected = is
}

// batchSize is how many notices are sent before the first confirm is waited for.
const batchSize = 256

func (p *Publisher) take() []*notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.queue), batchSize)
	p.sending, p.queue = p.queue[:n:n], p.queue[n:]
	return p.sending
}

var errUnconfirmed = errors.New("the broker did not confirm a notice")

// send publishes notices, waits until the broker has confirmed them, and puts those that have to be sent again back at
// the head of the queue. It reports whether there are any.
func (p *Publisher) send(ctx context.Context, c *connection, batch []*notice) (retry bool, failed error) {
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
		ok, err := confirmation.WaitContext(ctx)
		if confirmed[i] = ok; !ok && failed == nil {
			failed = errors.Join(errUnconfirmed, err)
		}
	}
	returned := c.takeReturned()
	p.mu.Lock()
	defer p.mu.Unlock()
	var again []*notice
	passed := map[subject]bool{} // a later notice of it was taken, or is sent first
	for i, n := range slices.Backward(batch) {
		taken := confirmed[i] && !returned[n.message.MsgID]
		switch {
		case taken:
			p.confirmed++
		case passed[n.subject]:
		case !confirmed[i] || p.mayBind():
			again = append(again, n)
			continue
		default:
			p.dropped++
		}
		passed[n.subject] = passed[n.subject] || taken
	}
	if len(returned) == 0 && failed == nil {
		p.unbound = time.Time{}
	}
	p.sending = nil
	if len(again) > 0 {
		slices.Reverse(again)
		p.queue = append(again, p.queue...)
	}
	return len(again) > 0, failed
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
