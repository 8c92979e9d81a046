package remote_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"junctor/pkg/fault"
)

// TestMemory: how long a response is cached, by the requests that a cluster gets.
func TestMemory(t *testing.T) {
	t.Parallel()
	ok := success(about(clusterA, nil))
	for name, c := range map[string]struct {
		token    string
		response http.HandlerFunc
		lasts    time.Duration
	}{
		"good":               {good, ok, time.Minute},
		"ends soon":          {token("short", 20), ok, 20 * time.Second},
		"ended by our clock": {token("ended", -1), ok, 0},
		"legacy":             {"0766c6d3a0cf0a0f293e7c8cf0bdcab5", ok, time.Minute},
		"no claims":          {"a.b.c", ok, time.Minute},
		"bad":                {good, invalid, 0},
		"lying":              {good, success(about(clusterB, nil)), 0},
		"trial over":         {good, trialOver, 0},
		"out of order":       {good, broken, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, k := with(t, c.response, nil)
			ask := func() int {
				_, _ = w.Identify(t.Context(), clusterA, c.token)
				return len(k.lines())
			}
			if n := ask(); n != 1 {
				t.Fatalf("asked %d times at first", n)
			}
			if c.lasts > 0 {
				w.advance(c.lasts - 1)
				if n := ask(); n != 1 {
					t.Errorf("asked %d times in %v", n, c.lasts)
				}
				w.advance(1)
			}
			if n := ask(); n != 2 {
				t.Errorf("asked %d times after %v", n, c.lasts)
			}
		})
	}
}

// TestMemoryIsOfOne: a response is cached for its token, cluster and URL only.
func TestMemoryIsOfOne(t *testing.T) {
	t.Parallel()
	w, _ := with(t, success(about(clusterA, nil)), nil)
	b := newKazoo(t, invalid, nil)
	w.register(t, clusterB, b.URL+"/v2")
	w.accepts(t, good)
	if _, err := w.Identify(t.Context(), clusterB, good); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("cluster B does not take the token: %v", err)
	}
	if err := w.registry.Remove(t.Context(), clusterA); err != nil {
		t.Fatal(err)
	}
	w.register(t, clusterA, b.URL+"/v2")
	w.refuses(t, good, fault.Unauthenticated)
}

// TestRevoked: a refusal replaces an acceptance.
func TestRevoked(t *testing.T) {
	t.Parallel()
	w, k := with(t, success(about(clusterA, nil)), nil)
	w.accepts(t, good)
	k.respond(invalid, nil)
	w.advance(time.Minute)
	w.refuses(t, good, fault.Unauthenticated)
	w.refuses(t, good, fault.Unauthenticated)
	k.respond(success(about(clusterA, nil)), nil)
	w.accepts(t, good)
}

// fail has a cluster leave n questions unanswered.
func (w *world) fail(t *testing.T, n int) {
	t.Helper()
	for range n {
		w.refuses(t, good, fault.ClusterUnreachable)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	silent := raw(http.StatusServiceUnavailable, "text/html", "")
	w, k := with(t, silent, nil)
	w.fail(t, 10)
	if n := len(k.lines()); n != 5 {
		t.Fatalf("asked %d times, want 5", n)
	}
	w.advance(5*time.Second - 1)
	w.fail(t, 3)
	if n := len(k.lines()); n != 5 {
		t.Errorf("asked again too soon")
	}
	w.advance(1)
	w.fail(t, 3)
	if n := len(k.lines()); n != 6 {
		t.Errorf("asked %d times after five seconds, want one more", n)
	}
	k.respond(invalid, nil)
	w.advance(5 * time.Second)
	w.refuses(t, good, fault.Unauthenticated) // which is a response as well
	k.respond(silent, nil)
	w.fail(t, 4)
	k.respond(success(about(clusterA, nil)), nil)
	w.accepts(t, good)
}

// TestProvokedErrors: a token that makes a Kazoo fail does not open the breaker for others.
func TestProvokedErrors(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]http.HandlerFunc{
		"500": broken, "429": says(429, nil), "garbage": raw(200, "text/html", ""), "no Kazoo": nil,
	} {
		w, k := with(t, response, nil)
		w.fail(t, 10)
		k.respond(success(about(clusterA, nil)), nil)
		if _, err := w.Identify(t.Context(), clusterA, good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestClientGone: a client that hangs up does not end the question, which counts for others.
func TestClientGone(t *testing.T) {
	t.Parallel()
	w, k := with(t, success(about(clusterA, nil)), nil)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := w.Identify(ctx, clusterA, good); err != nil {
		t.Errorf("got %v", err)
	}
	if w.accepts(t, good); len(k.lines()) != 1 {
		t.Errorf("asked %v", k.lines())
	}
}
