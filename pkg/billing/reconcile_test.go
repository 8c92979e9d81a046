package billing_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"junctor/pkg/billing"
	"junctor/pkg/testutil"
)

// TestReconcile: the hook is called for each account, and again when it has changed again.
func TestReconcile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run()
	w.Reconcile(t.Context(), account)
	testutil.Eventually(w, "the first call", func() bool { return len(w.hook.Reconciled()) == 1 })
	w.Reconcile(t.Context(), account)
	w.Reconcile(t.Context(), other)
	testutil.Eventually(w, "the other calls", func() bool { return len(w.hook.Reconciled()) == 3 })
	if got := w.hook.Reconciled(); !slices.Equal(got, []string{account, account, other}) {
		t.Errorf("called for %v", got)
	}
	testutil.Eventually(w, "nothing to wait", func() bool { return w.Stats() == billing.Stats{} })
}

// TestCoalesced: however often an account changes while the hook is busy, the hook is called once more.
func TestCoalesced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	var once sync.Once
	w.hook.Instead(func(rw http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			entered <- struct{}{}
			<-leave
			w.hook.Instead(nil)
		})
		rw.WriteHeader(http.StatusOK)
	})
	w.run()
	w.Reconcile(t.Context(), account)
	<-entered
	for range 1000 {
		w.Reconcile(t.Context(), account)
		w.Reconcile(t.Context(), other)
	}
	if got := w.Stats(); got.Waiting != 2 {
		t.Errorf("%d wait", got.Waiting)
	}
	close(leave)
	testutil.Eventually(w, "the second round", func() bool { return len(w.outcomes()) == 3 })
	if got := w.hook.Reconciled(); !slices.Equal(got, []string{account, other}) {
		t.Errorf("then called for %v", got)
	}
}

// TestRetried: the calls are made when the hook is back.
func TestRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hook.Instead(first(5, says(http.StatusServiceUnavailable, ""), func() { w.hook.Instead(nil) }))
	w.run()
	w.Reconcile(t.Context(), account)
	w.Reconcile(t.Context(), other)
	testutil.Eventually(w, "both accounts", func() bool {
		return slices.Contains(w.hook.Reconciled(), account) && slices.Contains(w.hook.Reconciled(), other)
	})
	if got := w.Stats(); got.Dropped != 0 || len(w.hook.Reconciled()) != 2 {
		t.Errorf("%+v, called for %v", got, w.hook.Reconciled())
	}
}

// TestOneBadAccount: an account that the hook can't reconcile does not delay others, and is given up in the end.
func TestOneBadAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	heard := map[string]int{}
	w.hook.Instead(func(rw http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		id := account
		if strings.Contains(string(text), other) {
			id = other
		}
		mu.Lock()
		heard[id]++
		mu.Unlock()
		if id == account {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	})
	w.run()
	w.Reconcile(t.Context(), account)
	w.Reconcile(t.Context(), other)
	testutil.Eventually(w, "an end", func() bool { return strings.Contains(w.log.String(), "given up") })
	mu.Lock()
	defer mu.Unlock()
	if got := (billing.Stats{Dropped: 1}); heard[account] != 30 || heard[other] != 1 || w.Stats() != got {
		t.Errorf("heard %v, %+v", heard, w.Stats())
	}
}

// TestFull: the queue is bounded; an account that finds it full is logged, and the caller does not wait.
func TestFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 10_001 {
		w.Reconcile(t.Context(), fmt.Sprintf("%032x", i))
	}
	w.Reconcile(t.Context(), fmt.Sprintf("%032x", 7))
	if got := w.Stats(); got.Waiting != 10_000 || got.Dropped != 1 {
		t.Errorf("%+v", got)
	}
	if text := w.log.String(); !strings.Contains(text, fmt.Sprintf("%032x", 10_000)) || strings.Count(text, "\n") != 1 {
		t.Errorf("log: %s", text)
	}
}

// TestStop: the calls that wait are made once more when the server stops.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *billing.Options) { o.Pause, o.LastPause = time.Hour, time.Hour })
	w.hook.Instead(says(http.StatusServiceUnavailable, ""))
	stop := w.run()
	w.Reconcile(t.Context(), account)
	testutil.Eventually(w, "a failure", func() bool { return len(w.outcomes()) == 1 && w.Stats().Waiting == 1 })
	w.hook.Instead(nil)
	w.Reconcile(t.Context(), other)
	stop()
	if got := w.hook.Reconciled(); !slices.Equal(got, []string{account, other}) {
		t.Errorf("called for %v", got)
	}
}

// TestStopWithoutHook: a server that stops does not wait for a hook that is away or hangs.
func TestStopWithoutHook(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]http.HandlerFunc{
		"away":  says(http.StatusBadGateway, ""),
		"hangs": hangs,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *billing.Options) { o.Pause, o.LastPause = time.Hour, time.Hour })
			w.hook.Instead(response)
			stop := w.run()
			w.Reconcile(t.Context(), account)
			w.Reconcile(t.Context(), other)
			began := time.Now()
			stop()
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if got := w.Stats(); got.Waiting != 0 || got.Dropped != 2 {
				t.Errorf("%+v", got)
			}
			for _, id := range []string{account, other} {
				if !strings.Contains(w.log.String(), `"account":"`+id+`","reason":"the server stops"`) {
					t.Errorf("no line about %s: %s", id, w.log)
				}
			}
		})
	}
}
