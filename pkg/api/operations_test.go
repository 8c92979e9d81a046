package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/api"
)

// operated returns a server for tests of what its operator sees, and a request to it.
func operated(t *testing.T, change func(*api.Config)) (*api.Server, func(h http.Handler, path string) *http.Response) {
	t.Helper()
	s := kazooTemplate.Open(t)
	c, err := newConfig(s, (&clock{}).now)
	if err != nil {
		t.Fatal(err)
	}
	change(&c)
	return api.New(c), func(h http.Handler, path string) *http.Response {
		w := httptest.NewRecorder()
		if server, ok := h.(*api.Server); ok {
			h = validating(t, c.Format, server)
		}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return w.Result()
	}
}

// TestReadinessTellsTheReason is about R9 and N3: the response says why a write would fail.
func TestReadinessTellsTheReason(t *testing.T) {
	t.Parallel()
	var reason atomic.Value
	reason.Store("")
	sv, get := operated(t, func(c *api.Config) {
		c.Ready = func(context.Context) string { return reason.Load().(string) }
	})
	for _, want := range []struct {
		reason string
		status int
		body   string
	}{
		{"", http.StatusOK, `{"status":"ok"}`},
		{"pool_missing", http.StatusServiceUnavailable, `{"status":"unavailable","reason":"pool_missing"}`},
		{"", http.StatusOK, `{"status":"ok"}`},
	} {
		reason.Store(want.reason)
		resp := get(sv, "/readyz")
		got := readAnswer(t, resp)
		if got.status != want.status || strings.TrimSpace(got.text) != want.body ||
			got.header.Get("Content-Type") != "application/json" {
			t.Errorf("reason %q: %d %v %s", want.reason, got.status, got.header, got.text)
		}
	}
}

// TestLameDuck is about R3: a server that is about to stop serves on, and sends its clients elsewhere.
func TestLameDuck(t *testing.T) {
	t.Parallel()
	sv, get := operated(t, func(*api.Config) {})
	paths := map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/v2/ips": 401, "/nowhere": 404}
	for path, status := range paths {
		if resp := get(sv, path); resp.StatusCode != status || resp.Header.Get("Connection") != "" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	sv.LameDuck()
	paths["/readyz"] = 503
	for path, status := range paths {
		if resp := get(sv, path); resp.StatusCode != status || resp.Header.Get("Connection") != "close" {
			t.Errorf("%s as a lame duck: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	if got := readAnswer(t, get(sv, "/readyz")).text; !strings.Contains(got, `"reason":"stopping"`) {
		t.Errorf("/readyz: %s", got)
	}
}

// TestSeparateMetrics is about S16: metrics can be kept from those who reach the API.
func TestSeparateMetrics(t *testing.T) {
	t.Parallel()
	sv, get := operated(t, func(c *api.Config) { c.SeparateMetrics = true })
	if got := readAnswer(t, get(sv, "/metrics")); got.status != 404 || got.envelope["error"] != "404" {
		t.Errorf("/metrics of the API: %d %s", got.status, got.text)
	}
	apart := sv.MetricsHTTP().Handler
	if got := readAnswer(t, get(apart, "/metrics")); got.status != 200 || !strings.Contains(got.text, "go_goroutines") {
		t.Errorf("/metrics: %d %s", got.status, got.text)
	}
	for _, path := range []string{"/v2/ips", "/readyz", "/"} {
		if resp := get(apart, path); resp.StatusCode != 404 {
			t.Errorf("%s beside /metrics: %d", path, resp.StatusCode)
		}
	}
}
