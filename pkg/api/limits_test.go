package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"junctor/pkg/api"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/store/storetest"
)

// slowRequest is a request whose body does not come, and so one that stays.
type slowRequest struct {
	net.Conn
	answers *bufio.Reader
}

// slow makes such a request, and returns once it is being served: only then is the client told to go on.
func (sv *service) slow(token string) slowRequest {
	sv.Helper()
	conn, err := net.Dial("tcp", sv.addr)
	if err != nil {
		sv.Fatal(err)
	}
	sv.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Auth-Token: %s\r\n"+
		"Expect: 100-continue\r\nContent-Length: 11\r\n\r\n", ipsOfA, token)
	if err != nil {
		sv.Fatal(err)
	}
	r := slowRequest{conn, bufio.NewReader(conn)}
	if got := r.status(sv); got != http.StatusContinue {
		sv.Fatalf("%d before the body", got)
	}
	return r
}

func (r slowRequest) status(t testing.TB) int {
	t.Helper()
	resp, err := http.ReadResponse(r.answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// TestMaxRequests: beyond the limit a request is told to come back, and let in once another is done.
func TestMaxRequests(t *testing.T) {
	t.Parallel()
	sv := kazoo(t, func(c *api.Config) { c.MaxRequests = 2 })
	token := sv.token("A")
	first := sv.slow(token)
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.slow(token)
	busy := sv.want(sv.as("A", "GET", ipsOfA, ""), 503)
	if busy.header.Get("Retry-After") != "1" || busy.envelope["message"] != "service_unavailable" ||
		busy.header.Get("Content-Type") != "application/json" || busy.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v %s", busy.header, busy.text)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		sv.want(sv.send("GET", path, ""), 200)
	}
	if _, err := io.WriteString(first, `{"data":{}}`); err != nil {
		t.Fatal(err)
	}
	if got := first.status(t); got != http.StatusOK {
		t.Errorf("%d with the body", got)
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
}

// TestPanic: what goes wrong in a handler is a 500 that says nothing, and one log line with the stack.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, "memory:")
	loadKazoo(t, s)
	sv := newService(t, s, func(c *api.Config) {
		c.Pool = dedicatedip.New(s, nil, "", c.Now, zerolog.Nop()) // nothing to validate with
		c.Metrics = api.NewMetrics()
	})
	a := sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 500)
	if a.envelope["message"] != "internal error" || strings.Contains(a.text, "nil") || a.envelope["error"] != "500" {
		t.Errorf("%s", a.text)
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	var stacks int
	for _, event := range sv.log.lines(t) {
		if stack, ok := event["stack"].(string); ok {
			stacks++
			if !strings.Contains(stack, "dedicatedip") || event["request_id"] != a.envelope["request_id"] {
				t.Errorf("%v", event)
			}
		}
	}
	if stacks != 1 {
		t.Errorf("%d stacks in the log, want 1", stacks)
	}
}

// TestStoreDown: health is the process's own, readiness the store's; requests are told that it is the store.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	token := kazoo(t).token("A")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dsn := "http://admin:hunter2@" + l.Addr().String()
	keep("hunter2")
	_ = l.Close() // nobody answers there now
	sv := newService(t, storetest.Open(t, dsn))
	sv.want(sv.send("GET", "/healthz", ""), 200)
	ready := sv.want(sv.send("GET", "/readyz", ""), 503)
	if strings.Contains(ready.text, "hunter2") || ready.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s", ready.header, ready.text)
	}
	if metrics := sv.want(sv.send("GET", "/metrics", ""), 200); !strings.Contains(metrics.text, "go_goroutines") {
		t.Error("no metrics without a store")
	}
	for _, a := range []answer{
		sv.send("GET", ipsOfA, "", "X-Auth-Token", token),
		sv.send("PUT", "/v2/api_auth", `{"data":{"api_key":"`+strings.Repeat("a", 64)+`"}}`),
	} {
		sv.want(a, 503)
		if a.envelope["message"] != "datastore_unreachable" || a.header.Get("Retry-After") == "" {
			t.Errorf("%v %s", a.header, a.text)
		}
		if strings.Contains(a.text, "hunter2") || strings.Contains(a.text, l.Addr().String()) {
			t.Errorf("the answer tells about the store: %s", a.text)
		}
	}
}
