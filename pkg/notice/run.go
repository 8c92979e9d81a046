package notice

import (
	"context"
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"junctor/pkg/backoff"
)

// farewell is how long Run goes on sending after it is told to end.
const farewell = 2 * time.Second

// Run sends notices until ctx ends, and then, where the broker is there, for a moment those that still wait. It
// reads from s what became of writes whose outcome is not known.
func (o *Outbox) Run(ctx context.Context, s Documents) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })
	defer stop()

	var settling sync.WaitGroup
	settling.Go(func() { o.settle(ctx, s) })
	defer settling.Wait()
	for pauses := backoff.New(firstPause, lastPause); ctx.Err() == nil; {
		before := o.confirmed.Load()
		err := o.session(ctx, sending)
		if ctx.Err() != nil {
			return
		}
		if o.confirmed.Load() > before {
			pauses.Reset()
		}
		pause := pauses.Next()
		o.options.Log.Warn().Err(err).Stringer("again_in", pause).Int("waiting", o.queue.length()).
			Msg("change notices wait: the broker can't be used")
		_ = backoff.Sleep(ctx, pause)
	}
}

// session connects and sends until the connection breaks, or until ctx has ended and nothing is left.
func (o *Outbox) session(ctx, sending context.Context) error {
	l, err := dial(sending, o.options)
	if err != nil {
		return err
	}
	defer l.close()
	o.connected.Store(true)
	defer o.connected.Store(false)
	o.options.Log.Info().Msg("connected to the broker of change notices")
	for sending.Err() == nil {
		batch, err := o.queue.next(batchSize)
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			if err := o.send(sending, l, batch); err != nil {
				return err
			}
			continue
		}
		select {
		case <-o.wake:
		case err := <-l.broken:
			return broken(err)
		case <-ctx.Done():
			return nil
		}
	}
	return sending.Err()
}

// batchSize is how many notices are sent before the first confirmation is waited for.
const batchSize = 256

// send publishes notices, waits for what the broker says of each and forgets those it has taken.
func (o *Outbox) send(ctx context.Context, l *link, batch []entry) error {
	if err := o.eraseConfirmed(); err != nil { // or they would go twice
		return err
	}
	pending := make([]*amqp.DeferredConfirmation, 0, len(batch))
	var failed error
	for _, e := range batch {
		p, err := l.publish(e.Message)
		if err != nil {
			failed = err
			break
		}
		pending = append(pending, p)
	}
	for i, p := range pending {
		if ok, err := p.WaitContext(ctx); ok {
			o.unerased = append(o.unerased, batch[i])
			o.confirmed.Add(1)
		} else if failed == nil {
			failed = errors.Join(errUnconfirmed, err)
		}
	}
	return errors.Join(failed, o.eraseConfirmed())
}

var errUnconfirmed = errors.New("the broker did not confirm a notice")

func (o *Outbox) eraseConfirmed() error {
	if len(o.unerased) == 0 {
		return nil
	}
	err := o.queue.erase(o.unerased)
	if err == nil {
		o.unerased = o.unerased[:0]
	}
	return err
}
