package couchhttp

import (
	"net/http"
	"testing"
	"time"
)

// Every call has a limit: in the guard, or where it is made.
func TestLimitsOfCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		length       int64
		want         time.Duration
	}{
		{http.MethodGet, "/db/doc", 0, callTime},
		{http.MethodPut, "/db/_design/junctor", 0, callTime},
		{http.MethodGet, "/_session", 0, callTime},
		{http.MethodPost, "/db/_bulk_docs", 1000, callTime},
		{http.MethodPost, "/db/_bulk_docs", 5 << 16, callTime + 5*time.Second},
		{http.MethodPost, "/db/_all_docs", 1000, callTime},
		{http.MethodPut, "/db/doc?w=3", 0, 0},
		{http.MethodGet, "/db/_changes", 0, 0},
		{http.MethodGet, "/db/_design/junctor/_view/names", 0, 0},
	} {
		r, err := http.NewRequest(test.method, "http://couchdb:5984"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = test.length
		if got := limit(r); got != test.want {
			t.Errorf("%s %s of %d bytes: %s, want %s", test.method, test.path, test.length, got, test.want)
		}
	}
}
