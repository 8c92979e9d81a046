// Package brokertest runs a RabbitMQ for tests: Debian's rabbitmq-server, started for the process that asks, on
// ports of its own on loopback and with its files in a temporary folder. No service is needed, and none is
// touched. It knows nothing of what is sent.
package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"junctor/pkg/testutil"
)

// startTime bounds how long a broker may take to come up. It takes six seconds on an idle machine.
const startTime = 3 * time.Minute

// Broker is a RabbitMQ that can be stopped and started.
type Broker struct {
	program string
	dir     string
	ports   [3]int // for clients, for other nodes, and for the port mapper

	stdin io.Closer
	ended chan struct{}
	log   *output
}

// Require returns a running broker, or skips t in one line where rabbitmq-server is not installed; with CI=true
// it fails.
func Require(t testing.TB, start func() (*Broker, error)) *Broker {
	t.Helper()
	if testing.Short() {
		t.Skip("no broker with -short")
	}
	b, err := start()
	switch {
	case err == nil:
		return b
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true":
		t.Skipf("no RabbitMQ to test with: install rabbitmq-server: %v", err)
	default:
		t.Fatalf("no RabbitMQ to test with: %v", err)
	}
	return nil
}

// Start runs a new broker. It ends with Close, or else with this process.
func Start() (*Broker, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	b := &Broker{program: program}
	if b.ports, err = freePorts(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "junctor-broker-"); err != nil {
		return nil, err
	}
	if err := b.Start(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// find prefers Debian's program to the script of the same name on its PATH, which is for the system's service.
func find() (string, error) {
	const debian = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := exec.LookPath("epmd"); err != nil {
		return "", err
	}
	if _, err := os.Stat(debian); err == nil {
		return debian, nil
	}
	return exec.LookPath("rabbitmq-server")
}

func freePorts() (ports [3]int, err error) {
	for i := range ports {
		if ports[i], err = testutil.FreePort("127.0.0.1"); err != nil {
			return ports, err
		}
	}
	return ports, nil
}

// Address is where clients connect to.
func (b *Broker) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.ports[0])) }

// URL returns the broker's, as seen at an address.
func URL(address string) string { return "amqp://guest:guest@" + address + "/" }

// Listen returns all that is sent to the exchange of change notices from now on, until t or the broker ends.
func (b *Broker) Listen(t testing.TB) <-chan amqp.Delivery {
	t.Helper()
	c, err := amqp.Dial(URL(b.Address()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	deliveries, err := listen(c)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

func listen(c *amqp.Connection) (<-chan amqp.Delivery, error) {
	const exchange = "configuration"
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.ExchangeDeclare(exchange, "topic", false, false, false, false, nil); err != nil {
		return nil, err
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return nil, err
	}
	if err := ch.QueueBind(q.Name, "#", exchange, false, nil); err != nil {
		return nil, err
	}
	return ch.Consume(q.Name, "", true, true, false, false, nil)
}

// script ends the broker when its standard input does, which also happens when this process dies.
const script = `epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" & mapper=$!
"$0" & broker=$!
read -r _
kill "$broker"; wait "$broker"
kill "$mapper"; wait "$mapper"`

// Start runs the broker again, with the files it had, and returns when it accepts connections.
func (b *Broker) Start() error {
	cmd := exec.Command("sh", "-c", script, b.program)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), b.environment()...)
	b.log = &output{}
	cmd.Stdout, cmd.Stderr = b.log, b.log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.stdin, b.ended = stdin, make(chan struct{})
	go func() {
		defer close(b.ended)
		_ = cmd.Wait()
	}()
	return b.wait()
}

func (b *Broker) environment() []string {
	variables := map[string]string{
		"HOME":                                b.dir,
		"NOTIFY_SOCKET":                       "",
		"RUNNING_UNDER_SYSTEMD":               "1", // the script becomes the server, so that its pid is the server's
		"ERL_EPMD_ADDRESS":                    "127.0.0.1",
		"ERL_EPMD_PORT":                       strconv.Itoa(b.ports[2]),
		"RABBITMQ_NODENAME":                   fmt.Sprintf("junctor%d@localhost", b.ports[0]),
		"RABBITMQ_NODE_IP_ADDRESS":            "127.0.0.1",
		"RABBITMQ_NODE_PORT":                  strconv.Itoa(b.ports[0]),
		"RABBITMQ_DIST_PORT":                  strconv.Itoa(b.ports[1]),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
		"RABBITMQ_MNESIA_BASE":                b.dir + "/mnesia",
		"RABBITMQ_LOG_BASE":                   b.dir + "/log",
		"RABBITMQ_LOGS":                       "-",
		"RABBITMQ_CONFIG_FILE":                b.dir + "/none",
		"RABBITMQ_CONF_ENV_FILE":              b.dir + "/none",
		"RABBITMQ_ENABLED_PLUGINS_FILE":       b.dir + "/none",
	}
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

// wait returns when a client gets through.
func (b *Broker) wait() error {
	for deadline := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		c, err := amqp.Dial(URL(b.Address()))
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not start: %w: %s", b.program, err, b.log)
		}
	}
}

// Stop ends the broker as an operator would.
func (b *Broker) Stop() {
	if b.stdin == nil {
		return
	}
	_ = b.stdin.Close()
	<-b.ended
	b.stdin = nil
}

// Close ends the broker for good.
func (b *Broker) Close() {
	b.Stop()
	_ = os.RemoveAll(b.dir)
}

// output keeps the end of what a program prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const outputSize = 4 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	o.text.Next(max(0, o.text.Len()-outputSize))
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.text.String())
}
