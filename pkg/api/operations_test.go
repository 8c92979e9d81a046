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
func operated(t *testing.T, change func(*api.Config)) (*api.Server, func(path string) *http.Response) {
	t.Helper()
	s := kazooTemplate.Open(t)
	c := newConfig(t, s, (&clock{}).now)
	change(&c)
	server := api.New(c)
	return server, func(path string) *http.Response {
		w := httptest.NewRecorder()
		validating(t, c.Format, server).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return w.Result()
	}
}

// TestReadinessTellsTheReason is about R9 and N3: the response says why a write would fail.
func TestReadinessTellsTheReason(t *testing.T) {
	t.Parallel()
	var reason atomic.Value
	reason.Store("")
	_, get := operated(t, func(c *api.Config) {
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
		resp := get("/readyz")
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
		if resp := get(path); resp.StatusCode != status || resp.Header.Get("Connection") != "" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	sv.LameDuck()
	paths["/readyz"] = 503
	for path, status := range paths {
		if resp := get(path); resp.StatusCode != status || resp.Header.Get("Connection") != "close" {
			t.Errorf("%s as a lame duck: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	if got := readAnswer(t, get("/readyz")).text; !strings.Contains(got, `"reason":"stopping"`) {
		t.Errorf("/readyz: %s", got)
	}
}
