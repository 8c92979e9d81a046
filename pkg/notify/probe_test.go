package notify

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"junctor/pkg/notify/brokertest"
)

// TestProbe: before somebody has declared Kazoo's exchange, where somebody has declared another one, and after.
func TestProbe(t *testing.T) {
	b := brokertest.Require(t, shared)
	url := brokertest.URL(b.Address())
	c, err := amqp.Dial(url)
	ok(t, err)
	t.Cleanup(func() { _ = c.Close() })
	channel, err := c.Channel()
	ok(t, err)
	probe := func(url string, want bool, wantErr error) {
		t.Helper()
		got, err := Probe(t.Context(), url)
		if got != want || !errors.Is(err, wantErr) {
			t.Errorf("got %v, %v, want %v, %v", got, err, want, wantErr)
		}
	}
	ok(t, channel.ExchangeDelete(exchange, false, false))
	probe(url, false, nil)
	ok(t, channel.ExchangeDeclare(exchange, amqp.ExchangeTopic, true, false, false, false, nil)) // durable: fault P11
	probe(url, false, ErrOtherExchange)
	ok(t, channel.ExchangeDelete(exchange, false, false))
	b.Listen(t) // declares it
	probe(url, true, nil)
	probe(strings.Replace(url, "guest:guest", "guest:wrong-secret", 1), false, amqp.ErrCredentials)
	free := httptest.NewServer(nil)
	free.Close()
	if _, err := Probe(t.Context(), strings.Replace(free.URL, "http://", "amqp://guest:secret@", 1)); err == nil {
		t.Error("a broker that is not there responds")
	}
}
