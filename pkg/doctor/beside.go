package doctor

import (
	"context"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/notice"
)

// crossbar says what is left to do at the proxy: both may serve at once, and only one is asked.
func (e *examination) crossbar(ctx context.Context) Finding {
	doc, err := e.store.Get(ctx, configDB, "crossbar")
	if err != nil && !account.Missing(err) {
		return failed(err)
	}
	section, _ := doc[account.DefaultSection].(map[string]any)
	if !slices.Contains(document.Document(section).Strings("autoload_modules"), "cb_ips") {
		return fine("does not serve ips by itself")
	}
	return Finding{State: OK, Found: "serves ips as well (cb_ips)",
		Remedy: "route ips and routing to junctor, and all else to Crossbar: README, \"Taking over from Crossbar\""}
}

// broker looks whether Kazoo can be told of changes.
func (e *examination) broker(ctx context.Context) Finding {
	if e.AMQP == "" {
		return Finding{State: OK, Found: "not looked for",
			Remedy: "give --amqp-url: without it Kazoo's calls leave through the old proxies for up to an hour"}
	}
	kazoo, err := notice.Probe(ctx, e.AMQP)
	switch {
	case err != nil:
		return broken("RabbitMQ can't be used: "+err.Error(),
			"look at --amqp-url; junctor serves without it, and notices wait until it is there")
	case !kazoo:
		return warning("RabbitMQ answers, and no Kazoo is there: it has no exchange \"configuration\"",
			"look at the virtual host at the end of --amqp-url")
	}
	return fine("RabbitMQ answers, and Kazoo's exchange is there")
}
