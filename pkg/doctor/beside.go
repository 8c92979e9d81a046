package doctor

import (
	"context"
	"errors"
	"slices"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/notify"
)

// crossbar says what is left to do at the proxy: both may serve at once, and only one is asked.
func (e *examination) crossbar(ctx context.Context) Finding {
	doc, err := e.store.Get(ctx, kazoo.SystemConfig, "crossbar")
	if err != nil && !account.Missing(err) {
		return failed(err)
	}
	section, _ := doc[account.DefaultSection].(map[string]any)
	if !slices.Contains(document.Document(section).Strings("autoload_modules"), "cb_ips") {
		return fine("does not serve ips by itself")
	}
	return Finding{State: OK, Found: "serves ips as well (cb_ips)",
		Remedy: "route ips and routing to junctor, and all else to Crossbar: docs/take-over.md"}
}

// broker checks whether change notices can be published.
func (e *examination) broker(ctx context.Context) Finding {
	if e.AMQP == "" {
		return Finding{State: OK, Found: "not looked for",
			Remedy: "give --amqp-url: without it Kazoo's calls leave through the old proxies for up to an hour"}
	}
	kazoo, err := notify.Probe(ctx, e.AMQP)
	switch {
	case errors.Is(err, notify.ErrOtherExchange):
		return broken(err.Error(), "find out who declared it, delete it (rabbitmqctl eval, or the management page), and restart "+
			"Kazoo's applications, which declare it again; until then notices wait")
	case err != nil:
		return broken("RabbitMQ can't be used: "+err.Error(),
			"look at --amqp-url; junctor serves without it, and notices wait until it is there")
	case !kazoo:
		return warning("RabbitMQ answers, and no Kazoo is there: it has no exchange \"configuration\"",
			"look at the virtual host at the end of --amqp-url")
	}
	return fine("RabbitMQ answers, and Kazoo's exchange is there")
}

// reconcileTime bounds how long a Crossbar is waited for.
const reconcileTime = 10 * time.Second

// reconciliation logs in to the Crossbar that reconciles services.
func (e *examination) reconciliation(ctx context.Context) Finding {
	switch {
	case e.Kazoo != nil:
	case e.CouchDB == "":
		return fine("no Kazoo records counts in an embedded store")
	default:
		return Finding{State: OK, Found: "not looked for",
			Remedy: "give --kazoo-url: without it the number of addresses that Kazoo has recorded for an account stays behind " +
				"until Kazoo reconciles that account"}
	}
	ctx, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	if err := e.Kazoo(ctx); err != nil {
		return broken("Crossbar can't be asked to reconcile services: "+reason(err),
			"look at --kazoo-url, and at the master account's API key; junctor serves without it, and Kazoo's recorded counts "+
				"stay behind")
	}
	return fine("Crossbar accepts the master account's API key")
}
