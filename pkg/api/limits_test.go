package api_test

import (
	"strings"
	"testing"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/metrics"
	"junctor/pkg/store/storetest"
)

// gate stops requests while they are served.
type gate struct{ reached, open chan struct{} }

// now is a clock for api.Config. Each time it stands still until the test opens the gate, if the gate is shut.
func (g *gate) now(clock func() time.Time) func() time.Time {
	return func() time.Time {
		select {
		case g.reached <- struct{}{}:
			<-g.open
		default:
		}
		return clock()
	}
}

// TestMaxRequests: beyond the limit a request is told to come back, and let in once another is done. Requests without a
// token have a limit of their own.
func TestMaxRequests(t *testing.T) {
	t.Parallel()
	g := &gate{make(chan struct{}), make(chan struct{})}
	sv := kazoo(t, func(c *api.Config) { c.MaxRequests, c.Now = 2, g.now(c.Now) })
	token := sv.token("A")
	answers := make(chan answer)
	serve := func(n int, headers ...string) {
		for range n {
			go func() { answers <- sv.send("GET", ipsOfA, "", headers...) }()
			<-g.reached // so it has a slot
		}
	}
	busy := func(a answer) {
		t.Helper()
		sv.want(a, 503)
		if a.header.Get("Retry-After") != "1" || a.envelope["message"] != "service_unavailable" ||
			a.header.Get("Content-Type") != "application/json" || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%v %s", a.header, a.text)
		}
	}
	serve(2, "X-Auth-Token", token)
	busy(sv.as("A", "GET", ipsOfA, ""))
	sv.want(sv.send("GET", ipsOfA, ""), 401)
	serve(64)
	busy(sv.send("GET", ipsOfA, ""))
	busy(sv.logIn("A"))
	busy(sv.send("GET", ipsOfA, "", "Authorization", users["alice"].basic()))
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		sv.want(sv.send("GET", path, ""), 200)
	}
	close(g.open)
	for range 66 {
		<-answers
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
	sv.want(sv.logIn("A"), 201)
}

// TestOneAccountLeavesSlots: a quarter of the slots is for others, whatever the clients of one account do.
func TestOneAccountLeavesSlots(t *testing.T) {
	t.Parallel()
	g := &gate{make(chan struct{}), make(chan struct{})}
	sv := kazoo(t, func(c *api.Config) { c.MaxRequests, c.Now = 8, g.now(c.Now) })
	token := sv.token("A")
	sv.token("B")
	answers := make(chan answer)
	for range 6 {
		go func() { answers <- sv.send("GET", ipsOfA, "", "X-Auth-Token", token) }()
		<-g.reached
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 503)
	sv.want(sv.as("B", "GET", "/v2/accounts/"+accountB+"/ips", ""), 200)
	close(g.open)
	for range 6 {
		sv.want(<-answers, 200)
	}
	sv.want(sv.as("A", "GET", ipsOfA, ""), 200)
}

// TestBulkCreationsHoldRoom: of the largest bulk creations one account makes six at once; more are told to come back.
// Small ones are no burden.
func TestBulkCreationsHoldRoom(t *testing.T) {
	t.Parallel()
	g := &gate{make(chan struct{}), make(chan struct{})}
	s := kazooTemplate.Open(t)
	sv := newService(t, s, func(c *api.Config) { c.Pool = dedicatedip.New(s, dedicatedip.Options{Now: g.now(c.Now)}) })
	create := func(block string) answer {
		return sv.as("M", "PUT", "/v2/ips?dry_run=true", `{"data":{"zone":"z","host":"h","ips":[{"cidr":"`+block+`"}]}}`)
	}
	sv.token("M")
	answers := make(chan answer)
	const most = 6
	for range most {
		go func() { answers <- create("10.0.0.0/18") }()
		<-g.reached
	}
	busy := sv.want(create("10.0.0.0/18"), 503)
	if busy.header.Get("Retry-After") != "1" || busy.envelope["message"] != "service_unavailable" {
		t.Errorf("%v %s", busy.header, busy.text)
	}
	sv.want(create("10.0.0.0/29"), 200)
	close(g.open)
	for range most {
		sv.want(<-answers, 200)
	}
	sv.want(create("10.0.0.0/18"), 200)
}

// TestPanic: what goes wrong in a handler is a 500 that says nothing, and one log line with the stack.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s, func(c *api.Config) {
		c.Pool = dedicatedip.New(nil, dedicatedip.Options{Now: c.Now}) // no store
		c.Metrics = metrics.New()
	})
	a := sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 500)
	if a.envelope["message"] != "internal error" || strings.Contains(a.text, "nil") || a.envelope["error"] != "500" {
		t.Errorf("%s", a.text)
	}
	sv.want(sv.as("A", "GET", "/v2/token_auth", ""), 200)
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

// TestStoreDown: health is the process's own; requests are told that it is the store.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	token := kazoo(t).token("A")
	keep("hunter2")
	sv := newService(t, storetest.Open(t, "http://admin:hunter2@127.0.0.1:1")) // where nobody listens
	sv.want(sv.send("GET", "/healthz", ""), 200)
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
		if strings.Contains(a.text, "hunter2") || strings.Contains(a.text, "127.0.0.1") {
			t.Errorf("the answer tells about the store: %s", a.text)
		}
	}
}
