package store_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

// TestPasswordIsNotRepeated: a CouchDB that refuses the password is asked once, by however many (S13).
func TestPasswordIsNotRepeated(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(storetest.CouchDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	target.User = nil
	logins := countingProxy(t, target)
	s := open(t, withPassword(logins.url))
	for range 20 {
		if _, err := s.Get(t.Context(), "system_config", "ips"); !fault.Is(err, fault.DatastoreFault) || !store.Refused(err) {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); !store.Refused(err) {
			t.Fatal(err)
		}
	}
	if n := logins.count.Load(); n != 1 {
		t.Errorf("%d requests with the wrong password", n)
	}
}

type counter struct {
	url   string
	count atomic.Int64
}

// countingProxy passes requests on to a CouchDB and counts them.
func countingProxy(t *testing.T, target *url.URL) *counter {
	c := &counter{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.count.Add(1)
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = target.Scheme, target.Host, ""
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}
