package main

import (
	"cmp"
	"context"

	"github.com/rs/zerolog"

	"junctor/pkg/notice"
	"junctor/pkg/store"
)

// openOutbox opens the file of notices for the broker, in the folder of state: home is an embedded store's, see
// openHome. Where there is no broker it answers nil.
func (c *serveConfig) openOutbox(home string, log zerolog.Logger) (*notice.Outbox, error) {
	if c.amqpURL == "" {
		return nil, nil
	}
	return notice.Open(notice.Options{
		URL: c.amqpURL, Dir: cmp.Or(c.stateDir, home, couchState), Node: nodeName(), Log: log,
	})
}

// sendNotices sends what is in an outbox until stop is called, which closes it. That is after ctx has ended and the
// last request is answered: its writes are told as well.
func sendNotices(ctx context.Context, outbox *notice.Outbox, s *store.Store) (stop func()) {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		outbox.Run(running, s)
	}()
	return func() {
		cancel()
		<-done
		_ = outbox.Close()
	}
}
