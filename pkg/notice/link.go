package notice

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// exchange is where Kazoo's nodes listen for what has changed.
const exchange = "configuration"

// The times of a connection: for it to be made, for signs of life, and for a farewell.
const (
	dialTime  = 10 * time.Second
	heartbeat = 10 * time.Second
	closeTime = time.Second
)

// link is a connection to the broker.
type link struct {
	connection *amqp.Connection
	channel    *amqp.Channel
	broken     chan *amqp.Error
	release    func() bool // ends the watch for the end of the context
}

// dial connects to the broker, to publish. The connection breaks when ctx ends, also while it is made.
func dial(ctx context.Context, o Options) (*link, error) {
	l, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := l.open(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func connect(ctx context.Context, o Options) (*link, error) {
	l := &link{release: func() bool { return true }}
	connection, err := amqp.DialConfig(o.URL, amqp.Config{
		Heartbeat:  heartbeat,
		Locale:     "en_US",
		Properties: amqp.Table{"product": "junctor", "connection_name": o.Node},
		Dial: func(network, address string) (net.Conn, error) {
			c, err := dialTCP(ctx, network, address)
			if err == nil {
				l.release = context.AfterFunc(ctx, func() { _ = c.Close() })
			}
			return c, err
		},
	})
	if err != nil {
		l.release()
		return nil, err
	}
	l.connection = connection
	return l, nil
}

func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTime}
	c, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	// amqp091 lifts the deadline when the handshake is over.
	return c, c.SetDeadline(time.Now().Add(dialTime))
}

// open declares the exchange as Kazoo does, and asks for confirmations.
func (l *link) open() (err error) {
	if l.channel, err = l.connection.Channel(); err != nil {
		return err
	}
	l.broken = l.channel.NotifyClose(make(chan *amqp.Error, 1))
	return errors.Join(declare(l.channel), l.channel.Confirm(false))
}

// declare declares the exchange as Kazoo does.
func declare(channel *amqp.Channel) error {
	return channel.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, false, false, false, nil)
}

// publish hands a message to the broker, who has it only when that is confirmed.
func (l *link) publish(m message) (*amqp.DeferredConfirmation, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return l.channel.PublishWithDeferredConfirm(exchange, m.key(), false, false, amqp.Publishing{
		ContentType: "application/json",
		Timestamp:   time.Unix(time.Now().UnixMicro(), 0), // Kazoo has microseconds where AMQP has seconds
		Body:        body,
	})
}

func (l *link) close() {
	_ = l.connection.CloseDeadline(time.Now().Add(closeTime))
	l.release()
}

// broken answers why a channel closed. A nil reason is that somebody closed it in good order.
func broken(reason *amqp.Error) error {
	if reason == nil {
		return amqp.ErrClosed
	}
	return reason
}
