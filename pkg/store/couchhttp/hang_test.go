package couchhttp

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

	"junctor/pkg/requesttime"
)

// couch is a CouchDB that may hang.
type couch struct {
	hangs  atomic.Bool
	calls  atomic.Int64
	rows   int  // of a view, one in rowTime
	stalls bool // after them
}

const rowTime = 2 * time.Second

func (c *couch) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	if c.hangs.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := io.NopCloser(strings.NewReader(`{}`))
	if c.rows != 0 {
		body = io.NopCloser(&slowRows{r.Context(), c.rows, c.stalls})
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
}

// slowRows is the body of a response, one byte a row.
type slowRows struct {
	ctx    context.Context
	rows   int
	stalls bool
}

func (s *slowRows) Read(p []byte) (int, error) {
	if s.rows == 0 && s.stalls {
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	if s.rows == 0 {
		return 0, io.EOF
	}
	s.rows--
	time.Sleep(rowTime)
	return copy(p, "r"), nil
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
			"/db/_bulk_docs": time.Minute, "/db/doc": time.Second, "/db/_local/x": time.Second,
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

// TestRowsForRequests: a request does not wait for a view for longer than for a document, and a view that is slow says
// nothing about the CouchDB. Rows that come go on for as long as they do, and so does an attachment.
func TestRowsForRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &couch{}
		g := newGuard(c)
		const attachment = "/db/doc/attachment"
		get := func(path string) (rows int, took time.Duration, err error) {
			began, ctx := time.Now(), requesttime.Begin(t.Context())
			if path == attachment {
				ctx = Streamed(ctx)
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://couch"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := g.RoundTrip(r)
			if err != nil {
				return 0, time.Since(began), err
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			return len(text), time.Since(began), err
		}
		for _, path := range []string{"/db/_design/d/_view/v", "/db/_all_docs", attachment} {
			c.hangs.Store(true)
			for range 2 * slowCalls {
				if path == attachment {
					break // one that is slow is no row
				}
				if _, took, err := get(path); took != callTime || kivik.HTTPStatus(err) != http.StatusServiceUnavailable {
					t.Errorf("%s: %v after %s", path, err, took)
				}
			}
			c.hangs.Store(false)
			c.rows, c.stalls = 10, false
			if rows, took, err := get(path); rows != 10 || took != 10*rowTime || err != nil {
				t.Errorf("%s: %d rows, %v after %s", path, rows, err, took)
			}
			c.stalls = true
			rows, took, err := get(path)
			if rows != 10 || took != 10*rowTime+callTime || kivik.HTTPStatus(err) != http.StatusServiceUnavailable {
				t.Errorf("%s: %d rows, %v after %s", path, rows, err, took)
			}
		}
	})
}
