package billing_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/billing"
	"junctor/pkg/billing/billingtest"
	"junctor/pkg/testutil"
)

const (
	account  = "09c766718e5cfdbc70c929dccb4e00fc"
	other    = "20d27928305e257782655b7896c79f14"
	reseller = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
)

// plan is what the hook charges in these tests.
var plan = billingtest.Plan{Name: "Dedicated IP", Rate: 5, Vendor: reseller}

// short are pauses for tests.
var short = billing.Pauses{Pause: time.Millisecond, LastPause: 20 * time.Millisecond}

// world is a hook, and what speaks to it.
type world struct {
	*testing.T
	*billing.Hook
	hook *billingtest.Hook
	log  *testutil.Log

	mu    sync.Mutex
	calls []billing.Call
}

func newWorld(t *testing.T, changes ...func(*billing.Options)) *world {
	t.Helper()
	w := &world{T: t, log: &testutil.Log{}}
	w.hook = billingtest.Start(t, func(string) int { return 1 })
	o := billing.Options{
		URL: w.hook.At(), Pauses: short, Log: zerolog.New(w.log),
		Observe: w.observe,
	}
	for _, change := range changes {
		change(&o)
	}
	h, err := billing.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.Hook = h
	t.Cleanup(func() {
		h.Close()
		if text := w.log.String(); strings.Contains(text, billingtest.Password) {
			t.Errorf("a secret is in the log: %s", text)
		}
	})
	return w
}

// allowing sets what happens where there is no quote.
func allowing(o *billing.Options) { o.AllowOnError = true }

// hasty does not wait long.
func hasty(o *billing.Options) { o.QuoteTime = 50 * time.Millisecond }

// outcomes returns what the calls so far came to, as "event outcome".
func (w *world) outcomes() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		list = append(list, c.Event+" "+c.Outcome)
	}
	return list
}

func (w *world) observe(c billing.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
}

// run runs the hook until the function that it returns is called, or the test ends.
func (w *world) run() (stop func()) { return w.running(w.Hook.Run) }

func (w *world) running(run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	w.Cleanup(stop)
	return stop
}

// first returns a handler that responds to so many requests, the last time after calling done.
func first(requests int32, response http.HandlerFunc, done func()) http.HandlerFunc {
	var heard atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if heard.Add(1) == requests {
			done()
		}
		response(w, r)
	}
}

// proposal is an account that wants addresses.
func proposal(quantity int, accept bool) billing.Proposal {
	return billing.Proposal{
		AccountID: account, AuthAccountID: reseller, RequestID: "request-1",
		Items:         []billing.Item{{Category: "ips", Item: "dedicated", Quantity: quantity}},
		AcceptCharges: accept,
	}
}

// hangs reads a message and does not respond.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.ReadAll(r.Body) // otherwise the server does not notice that the client is gone
	<-r.Context().Done()
}
