package notice

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ErrOtherExchange says that the exchange is not what Kazoo and an Outbox declare it to be, for example durable. Neither
// can use it.
var ErrOtherExchange = errors.New("the exchange \"" + exchange + "\" is declared otherwise than Kazoo declares it")

// Probe connects to the broker as an Outbox would, and reports whether Kazoo's exchange is there and can be used. It
// makes and sends nothing.
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
	if err != nil {
		return false, err
	}
	// A passive declaration looks at the name only. Of an exchange that is there another one makes nothing.
	err = declare(channel)
	if reason, ok := errors.AsType[*amqp.Error](err); ok && reason.Code == amqp.PreconditionFailed {
		return false, fmt.Errorf("%w: %s", ErrOtherExchange, reason.Reason)
	}
	return err == nil, err
}
