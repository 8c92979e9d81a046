package doctor

import (
	"context"
	"errors"
	"time"

	"junctor/pkg/notify"
)

// broker checks whether change notices can be published.
func (e *examination) broker(ctx context.Context) Finding {
	if e.AMQP == "" {
		return Finding{State: OK, Found: "not checked",
			Remedy: "give --amqp-url: without it Kazoo's calls leave through the old proxies for up to an hour"}
	}
	return brokerFinding(notify.Probe(ctx, e.AMQP))
}

// brokerFinding returns what notify.Probe comes to.
func brokerFinding(kazoo bool, err error) Finding {
	switch {
	case errors.Is(err, notify.ErrOtherExchange):
		return broken(err.Error(), "find out which program declared it, delete it (rabbitmqctl eval, or the management page), and restart "+
			"Kazoo's applications, which declare it again; until then notices wait")
	case err != nil:
		return broken("RabbitMQ can't be used: "+err.Error(),
			"check --amqp-url; junctor serves without the broker, and notices wait until it can be used")
	case !kazoo:
		return warning("RabbitMQ responds, but no Kazoo uses it: it has no exchange \"configuration\"",
			"check the virtual host at the end of --amqp-url")
	}
	return fine("RabbitMQ responds and has Kazoo's exchange")
}

// reconcileTime bounds how long a Crossbar is waited for.
const reconcileTime = 10 * time.Second

// reconciliation logs in to the Crossbar that reconciles services.
func (e *examination) reconciliation(ctx context.Context) Finding {
	if e.Kazoo == nil {
		return Finding{State: OK, Found: "not checked",
			Remedy: "give --kazoo-url: without it the number of addresses that Kazoo has recorded for an account stays behind " +
				"until Kazoo reconciles that account"}
	}
	ctx, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	if err := e.Kazoo(ctx); err != nil {
		return broken("Crossbar can't be asked to reconcile services: "+reason(err),
			"check --kazoo-url and the master account's API key; junctor serves without them, and Kazoo's recorded counts "+
				"stay behind")
	}
	return fine("Crossbar accepts the master account's API key")
}
