package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"junctor/pkg/testutil"
)

// backend is a server in a process of its own, with an embedded store in memory, as a balancer sees it.
type backend struct {
	*served
	address string
	token   string
	up      atomic.Bool // as its last health check found it
}

func startBackend(t *testing.T, lameDuck time.Duration) *backend {
	t.Helper()
	state := t.TempDir()
	s := startProcess(t, nil, "--store", "memory:", "--state-dir", state, "--lame-duck", lameDuck.String(), "--log-level", "warn")
	return &backend{served: s, address: strings.TrimPrefix(s.url, "http://"), token: s.loginAdmin(state)}
}

// check asks whether the backend is ready, as balancers do: on a connection of its own.
func (b *backend) check() {
	status, _, err := b.sendApart("GET", "/readyz", "", "")
	b.up.Store(err == nil && status == http.StatusOK)
}

// balancer sends requests to the backends that are up. It sends each once: what fails is for the test to see, and not
// for a transport to repair.
type balancer struct {
	mu       sync.Mutex
	backends []*backend
	requests atomic.Int64
	failures map[string]int
}

// pick returns a backend that is up.
func (l *balancer) pick(n int) *backend {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.backends {
		if b := l.backends[(n+i)%len(l.backends)]; b.up.Load() {
			return b
		}
	}
	return nil
}

func (l *balancer) replace(i int, b *backend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.backends[i] = b
}

func (l *balancer) failed(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures[text]++
}

// watch checks all backends at every interval until ctx ends.
func (l *balancer) watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		l.mu.Lock()
		backends := append([]*backend{}, l.backends...)
		l.mu.Unlock()
		for _, b := range backends {
			b.check()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// requestsPerConnection makes a load of both old and new connections.
const requestsPerConnection = 25

// work sends one request after the other until ctx ends, on a connection for each backend that lasts as long as the
// backend lets it, or for some requests.
func (l *balancer) work(ctx context.Context, worker int) {
	type connection struct {
		net.Conn
		reader *bufio.Reader
		used   int
	}
	open := map[*backend]*connection{}
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	// The pause leaves time for the checks: they have to come while the backend is still listening.
	for n := worker; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		n++
		b := l.pick(n)
		if b == nil {
			l.failed("no backend is up")
			return
		}
		c := open[b]
		if c == nil {
			conn, err := net.DialTimeout("tcp", b.address, patience)
			if err != nil {
				l.failed(fmt.Sprintf("dial: %v", err))
				continue
			}
			c = &connection{Conn: conn, reader: bufio.NewReader(conn)}
			open[b] = c
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		closes, err := exchange(c, c.reader, b.token, n, worker)
		l.requests.Add(1)
		c.used++
		if err != nil {
			l.failed(fmt.Sprintf("request on a connection that is new (%t): %v", c.used == 1, err))
		}
		if err != nil || closes || c.used == requestsPerConnection {
			_ = c.Close()
			delete(open, b)
		}
	}
}

// exchange sends a request and reads the response, and reports whether that closes the connection. Every eighth request
// is a write.
func exchange(conn net.Conn, reader *bufio.Reader, token string, n, worker int) (closes bool, err error) {
	head := "GET /v2/ips HTTP/1.1\r\nHost: h\r\nX-Auth-Token: " + token + "\r\n\r\n"
	if n%8 == 0 {
		body := fmt.Sprintf(`{"data":{"ip":"10.%d.%d.%d","zone":"z","host":"h"}}`, worker, n>>8&255, n&255)
		head = fmt.Sprintf("PUT /v2/ips HTTP/1.1\r\nHost: h\r\nX-Auth-Token: %s\r\nContent-Length: %d\r\n\r\n%s",
			token, len(body), body)
	}
	if _, err := conn.Write([]byte(head)); err != nil {
		return true, err
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return true, err
	}
	if resp.StatusCode >= 500 {
		return resp.Close, fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp.Close, nil
}

// stopBehindBalancer stops one of two servers under load behind a balancer, several times in turn, and starts another in
// its place each time.
func stopBehindBalancer(t *testing.T, stops int, lameDuck, interval time.Duration) {
	t.Helper()
	l := &balancer{
		backends: []*backend{startBackend(t, lameDuck), startBackend(t, lameDuck)},
		failures: map[string]int{},
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var load sync.WaitGroup
	load.Go(func() { l.watch(ctx, interval) })
	allUp := func() bool { return l.backends[0].up.Load() && l.backends[1].up.Load() }
	testutil.Eventually(t, "both servers to be up", allUp)
	for worker := range 16 {
		load.Go(func() { l.work(ctx, worker) })
	}
	for n := range stops {
		b := l.backends[n%2]
		began, before := time.Now(), l.requests.Load()
		if code := b.end(syscall.SIGTERM); code != 0 || b.logs("cut off") {
			t.Errorf("stop %d: exit code %d\n%s", n+1, code, b.stderr)
		}
		t.Logf("stop %d took %s, with %d requests meanwhile", n+1, time.Since(began).Round(time.Millisecond),
			l.requests.Load()-before)
		l.replace(n%2, startBackend(t, lameDuck))
		testutil.Eventually(t, "the new server to be up", allUp)
	}
	cancel()
	load.Wait()
	t.Logf("%d requests", l.requests.Load())
	for text, n := range l.failures {
		t.Errorf("%d times: %s", n, text)
	}
}

// TestStopBehindBalancer is about R3: a balancer that asks /readyz loses no request when a server stops.
func TestStopBehindBalancer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not with -short: it starts processes and puts them under load")
	}
	stopBehindBalancer(t, 1, 10*time.Second, 100*time.Millisecond)
}

// TestSoakStopBehindBalancer is the same as an operator would have it: ten stops, a check each second, and five seconds
// for the balancer to notice.
func TestSoakStopBehindBalancer(t *testing.T) {
	if os.Getenv("JUNCTOR_SOAK") == "" {
		t.Skip("takes minutes: make soak")
	}
	stopBehindBalancer(t, 10, 5*time.Second, time.Second)
}
