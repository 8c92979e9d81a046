package main

import (
	"context"

	"github.com/rs/zerolog"

	"junctor/pkg/api"
	"junctor/pkg/billing"
)

// startBilling answers the billing hook, nil where there is none, and tells it of changes until stop is called. That is
// after ctx has ended and the last request is answered: its changes are told as well.
func (c *serveConfig) startBilling(
	ctx context.Context, m *api.Metrics, log zerolog.Logger,
) (hook *billing.Hook, stop func(), err error) {
	if c.billingURL == "" {
		return nil, func() {}, nil
	}
	hook, err = billing.New(billing.Options{
		URL: c.billingURL, AllowOnError: c.billingAllows, Observe: m.ObserveBilling, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	m.WatchBilling(hook.Stats)
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		hook.Run(running)
	}()
	return hook, func() {
		cancel()
		<-done
		hook.Close()
	}, nil
}
