package notice

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Probe connects to the broker as an Outbox would, and reports whether Kazoo's exchange is there. It declares and
// sends nothing.
func Probe(ctx context.Context, url string) (kazoo bool, err error) {
	l, err := connect(ctx, Options{URL: url, Node: "junctor doctor"})
	if err != nil {
		return false, err
	}
	defer l.close()
	channel, err := l.connection.Channel()
	if err != nil {
		return false, err
	}
	err = channel.ExchangeDeclarePassive(exchange, amqp.ExchangeTopic, false, false, false, false, nil)
	if reason, ok := errors.AsType[*amqp.Error](err); ok && reason.Code == amqp.NotFound {
		return false, nil
	}
	return err == nil, err
}
