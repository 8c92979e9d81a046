package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"junctor/pkg/api"
	"junctor/pkg/store/storetest"
)

// BenchmarkRequest measures what a request costs in the handler, token and all, without a network: the number of
// allocations, above all. What clients see of it, "make bench" measures.
func BenchmarkRequest(b *testing.B) {
	sv, handler := newBench(b)
	for _, asked := range []struct{ name, account, path string }{
		{"one IP", "A", ipsOfA + "/10.0.0.1"},
		{"assigned, 25 rows", "A", ipsOfA + "/assigned"},
		{"zones", "A", ipsOfA + "/zones"},
		{"hosts", "A", ipsOfA + "/hosts"},
		{"available, page of 50", "A", ipsOfA + "?page_size=50"},
		{"routing lookup", "M", "/v2/routing/lookup?ip=10.1.0.1&direction=inbound"},
	} {
		r := httptest.NewRequest(http.MethodGet, asked.path, nil)
		r.Header.Set("X-Auth-Token", sv.token(asked.account))
		b.Run(asked.name, func(b *testing.B) { serveAgain(b, handler, r) })
	}
}

// newBench returns a handler as serve makes it, on a store in a file where A has 25 addresses and 50 are available,
// and a service of the same store.
func newBench(b *testing.B) (*service, http.Handler) {
	b.Helper()
	s := storetest.Open(b, filepath.Join(b.TempDir(), "store"))
	loadRouting(b, s)
	sv := newService(b, s)
	for n := range 75 {
		address := fmt.Sprintf("10.0.0.%d", n+1)
		sv.create(address)
		if n < 25 {
			sv.want(sv.as("A", http.MethodPost, ipsOfA+"/"+address, ""), http.StatusOK)
		}
	}
	sv.have(strangeCluster, "somebody", `{"inbound":{"east":["10.1.0.1"]}}`)
	c := newConfig(b, s, sv.clock.now)
	c.Log = zerolog.New(io.Discard) // lines are made, but not kept
	for _, change := range []func(*api.Config){loaded(b), cached(b, s, staleness)} {
		change(&c)
	}
	return sv, api.New(c)
}

func serveAgain(b *testing.B, handler http.Handler, r *http.Request) {
	b.ReportAllocs()
	w := &sink{header: http.Header{}}
	for b.Loop() {
		clear(w.header)
		if handler.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatalf("%s: %d", r.URL, w.status)
		}
	}
}

// sink is a ResponseWriter that costs nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
