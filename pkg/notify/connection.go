package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// exchange is where Kazoo's nodes listen for changes of configuration.
const exchange = "configuration"

// Bounds of a connection: for making it, for signs of life, and for closing it.
const (
	dialTime  = 10 * time.Second
	heartbeat = 10 * time.Second
	closeTime = time.Second
)

// connection is a connection to the broker with one channel.
type connection struct {
	*amqp.Channel
	conn     *amqp.Connection
	broken   chan *amqp.Error
	returned chan amqp.Return
}

// CheckURL returns what is wrong with the URL of a broker, without repeating it: it may contain a password.
func CheckURL(url string) error {
	if _, err := amqp.ParseURI(url); err != nil {
		return errors.New("not amqp(s)://USER:PASSWORD@HOST:PORT/VHOST")
	}
	return nil
}

// dial connects to the broker, declares the exchange as Kazoo does and asks for confirms. The connection breaks when
// ctx ends, also while it is being made.
func dial(ctx context.Context, url, name string) (*connection, error) {
	c, err := connect(ctx, url, name)
	if err != nil {
		return nil, err
	}
	c.broken = c.NotifyClose(make(chan *amqp.Error, 1))
	c.returned = c.NotifyReturn(make(chan amqp.Return, batchSize)) // never full: see publish and takeReturned
	if err = errors.Join(c.declare(), c.Confirm(false)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func connect(ctx context.Context, url, name string) (*connection, error) {
	conn, err := amqp.DialConfig(url, amqp.Config{
		Heartbeat:  heartbeat,
		Locale:     "en_US",
		Properties: amqp.Table{"product": "junctor", "connection_name": name},
		Dial: func(network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: dialTime}
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			return conn, conn.SetDeadline(time.Now().Add(dialTime)) // amqp091 lifts it after the handshake
		},
	})
	if err != nil {
		return nil, err
	}
	c := &connection{conn: conn}
	if c.Channel, err = conn.Channel(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) close() { _ = c.conn.CloseDeadline(time.Now().Add(closeTime)) }

// publish sends a message. The broker has it when that is confirmed. It is mandatory: the broker returns it, before
// it confirms it, if no queue is bound that takes it.
func (c *connection) publish(m message) (*amqp.DeferredConfirmation, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return c.PublishWithDeferredConfirm(exchange, m.key(), true, false, amqp.Publishing{
		ContentType: "application/json",
		Timestamp:   time.Unix(time.Now().UnixMicro(), 0), // Kazoo has microseconds where AMQP has seconds
		Body:        body,
	})
}

// takeReturned returns the ids of the messages that were returned since the last call.
func (c *connection) takeReturned() map[string]bool {
	ids := map[string]bool{}
	for {
		select {
		case r, open := <-c.returned:
			if !open {
				return ids
			}
			var m message
			_ = json.Unmarshal(r.Body, &m) // it is one of ours
			ids[m.MsgID] = true
		default:
			return ids
		}
	}
}

// declare declares the exchange as Kazoo does.
func (c *connection) declare() error {
	return c.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, false, false, false, nil)
}

// ErrOtherExchange says that the exchange is not what Kazoo and a Publisher declare it to be, for example durable.
// Neither can use it.
var ErrOtherExchange = errors.New("the exchange \"" + exchange + "\" has other properties than Kazoo declares")

// Probe connects to the broker as a Publisher would, and reports whether Kazoo's exchange exists and can be used. It
// creates and sends nothing.
func Probe(ctx context.Context, url string) (kazoo bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, url, "junctor doctor")
	if err != nil {
		return false, err
	}
	defer c.close()
	err = c.ExchangeDeclarePassive(exchange, amqp.ExchangeTopic, false, false, false, false, nil)
	if isReply(err, amqp.NotFound) {
		return false, nil
	}
	if err == nil { // a passive declaration compares only the name; another one creates nothing now
		err = c.declare()
	}
	if isReply(err, amqp.PreconditionFailed) {
		err = fmt.Errorf("%w: %w", ErrOtherExchange, err)
	}
	return err == nil, err
}

func isReply(err error, code int) bool {
	reason, ok := errors.AsType[*amqp.Error](err)
	return ok && reason.Code == code
}
