package store

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kivik/kivik/v4"
)

// couch is a CouchDB that may hang.
type couch struct {
	hangs atomic.Bool
	calls atomic.Int64
}

func (c *couch) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	if c.hangs.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := io.NopCloser(strings.NewReader(`{}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
}

// TestHungCouchDB: calls are given up after five seconds, and then one at a time finds out when it responds again.
func TestHungCouchDB(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &couch{}
		g := newGuard(c)
		get := func(path string) (time.Duration, error) {
			began := time.Now()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://couch"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := g.RoundTrip(r)
			if err == nil {
				_ = response.Body.Close()
			}
			return time.Since(began), err
		}
		if _, err := get("/db/doc"); err != nil {
			t.Fatal(err)
		}
		c.hangs.Store(true)
		var clients sync.WaitGroup
		for range slowCalls {
			clients.Go(func() {
				if took, err := get("/db/doc"); took != callTime || kivik.HTTPStatus(err) != http.StatusServiceUnavailable {
					t.Errorf("%v after %s", err, took)
				}
			})
		}
		clients.Wait()
		c.calls.Store(0)
		for range 100 {
			for _, path := range []string{"/db/doc", "/db/_changes", "/_up"} {
				if took, err := get(path); took != 0 || kivik.HTTPStatus(err) != http.StatusServiceUnavailable {
					t.Errorf("%s: %v after %s", path, err, took)
				}
			}
		}
		for range 30 { // a minute
			time.Sleep(2 * time.Second)
			for range 10 {
				go func() { _, _ = get("/db/doc") }()
			}
		}
		synctest.Wait()
		if n := c.calls.Load(); n < 5 || n > 12 {
			t.Errorf("%d calls in a minute, want one at a time", n)
		}
		c.hangs.Store(false)
		time.Sleep(callTime + probeWait)
		for range 10 {
			if _, err := get("/db/doc"); err != nil {
				t.Errorf("it responds: %v", err)
			}
		}
	})
}

// TestSlowCalls: what may take long does, and a caller who gives up says nothing about the CouchDB.
func TestSlowCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &couch{}
		c.hangs.Store(true)
		g := newGuard(c)
		for path, limit := range map[string]time.Duration{
			"/db/_design/d/_view/v": time.Minute, "/db/_changes": time.Minute, "/db/_all_docs": time.Minute,
			"/db/_bulk_docs": time.Minute, "/_dbs_info": time.Minute, "/db/doc": time.Second, "/db/_local/x": time.Second,
		} {
			for range 2 * slowCalls {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				began := time.Now()
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://couch"+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err = g.RoundTrip(r); err == nil || time.Since(began) != limit {
					t.Errorf("%s: %v after %s", path, err, time.Since(began))
				}
				cancel()
			}
		}
	})
}
