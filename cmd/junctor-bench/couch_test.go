package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/document"
)

// TestClosedConnection: a server that closes a connection just when it is used again costs a write another try, and
// not the benchmark.
func TestClosedConnection(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%2 == 0 {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.(*net.TCPConn).SetLinger(0) // resets
			_ = conn.Close()
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"ok":true,"id":"a","rev":"1-x"}`))
	}))
	defer server.Close()
	client, err := dial(strings.Replace(server.URL, "://", "://user:password@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := range 2 {
		rev, err := bareCouch{client}.Put(t.Context(), "db", document.Document{"_id": "a"})
		if err != nil || rev != "1-x" {
			t.Errorf("%d: %q, %v", n, rev, err)
		}
	}
	if got := asked.Load(); got != 3 {
		t.Errorf("asked %d times", got)
	}
}
