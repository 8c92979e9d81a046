package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"sync"
	"testing"

	"junctor/pkg/testutil"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	aTrace       = "4bf92f3577b34da6a3ce929d0e0e4736"
	aTraceparent = "00-" + aTrace + "-00f067aa0ba902b7-01"
)

// TestTraceIsPassedOn: without a collector, too, the trace of a request is logged and reaches the CouchDB. What is no
// traceparent is ignored.
func TestTraceIsPassedOn(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	couch := newFaultyCouch(t)
	couch.behave(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if trace := r.Header.Get("Traceparent"); trace != "" {
			seen = append(seen, trace)
		}
		return false
	})
	s, admin := onCouch(t, couch)
	for _, header := range []string{aTraceparent, "00-nonsense"} {
		s.request("PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+admin.APIKey+`"}}`, "Traceparent", header)
	}
	testutil.Eventually(t, "both lines of the log", func() bool { return s.logged(`"route":"/api_auth"`) == 2 })
	if n := s.logged(`"trace_id":"` + aTrace + `"`); n != 1 || s.logged(`trace_id`) != n {
		t.Errorf("%d lines have the trace:\n%s", n, s.stderr)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(seen, aTraceparent) || slices.ContainsFunc(seen, func(text string) bool { return text != aTraceparent }) {
		t.Errorf("the CouchDB was sent %q", seen)
	}
}

// TestSpans: a collector gets a span for the request, and one for each call of the store below it.
func TestSpans(t *testing.T) {
	t.Parallel()
	spans := make(chan string, 10_000)
	collecting := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var batch collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &batch); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, resource := range batch.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					spans <- span.Name
				}
			}
		}
	}))
	t.Cleanup(collecting.Close)
	s, admin := onCouch(t, newFaultyCouch(t), "--otlp-endpoint", collecting.URL)
	s.login(admin.APIKey)
	missing := map[string]bool{"PUT /api_auth": true, "couchdb GET": true}
	testutil.Eventually(t, "the spans", func() bool { // which are sent every few seconds
		for len(spans) > 0 {
			delete(missing, <-spans)
		}
		return len(missing) == 0
	}, missing)
}

// TestTraceOfBilling: the trace of a request reaches the billing hook and Kazoo, also with the calls that follow the
// response.
func TestTraceOfBilling(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	traces := map[string][]string{} // of the calls so far, by event or path
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct{ Event string }
		_ = json.NewDecoder(r.Body).Decode(&call)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, map[bool]string{
			true: "{}", false: `{"data":{},"auth_token":"token","status":"success"}`,
		}[r.URL.Path == "/hook"])
		mu.Lock()
		defer mu.Unlock()
		name := cmp.Or(call.Event, path.Base(r.URL.Path))
		traces[name] = append(traces[name], r.Header.Get("Traceparent"))
	}))
	t.Cleanup(peer.Close)
	home := t.TempDir()
	s := start(t, "--store", home, "--billing-url", peer.URL+"/hook", "--kazoo-url", peer.URL)
	account := "/v2/accounts/" + s.assign(home) + assignedAddress
	called := func(calls int, last string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			for _, name := range []string{"reconcile", "reconciliation"} {
				if n := len(traces[name]); n != calls || traces[name][n-1] != last {
					return false
				}
			}
			return true
		}
	}
	testutil.Eventually(t, "calls without a trace", called(1, ""))
	token := s.loginAdmin(home)
	for calls, method := range []string{"DELETE", "POST"} {
		if status, envelope := s.request(method, account, token, "", "Traceparent", aTraceparent); status != http.StatusOK {
			t.Fatalf("%s: %d %v", method, status, envelope)
		}
		testutil.Eventually(t, "calls of the trace", called(calls+2, aTraceparent))
	}
	mu.Lock()
	defer mu.Unlock()
	if got := traces["quote"]; !slices.Equal(got, []string{"", aTraceparent}) {
		t.Errorf("quotes of the traces %q", got)
	}
}
