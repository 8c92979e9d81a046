package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/testutil"
)

// TestCouchDBLater: the server may be started before its CouchDB, and says so while it waits. The password of the
// store is in none of that.
func TestCouchDBLater(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	f := newFaultyCouch(t)
	f.behave(func(_ http.ResponseWriter, r *http.Request) bool {
		if !up.Load() {
			panic(http.ErrAbortHandler)
		}
		if name, password, _ := r.BasicAuth(); name != "admin" || password != "s3cret/password" {
			t.Errorf("a login as %s with password %s", name, password)
		}
		return false
	})
	s := begin(t, nil, "--state-dir", t.TempDir(), "--max-staleness", "2s",
		"--store", strings.Replace(f.url, "http://", "http://admin:s3cret%2Fpassword@", 1))
	testutil.Eventually(t, "two attempts", func() bool { return s.logged("can't be prepared") >= 2 })
	s.awaitListening()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v2/ips": 401} {
		if status, _ := s.request("GET", path, "", ""); status != want {
			t.Errorf("without a CouchDB %s is %d, want %d", path, status, want)
		}
	}
	if exists(s.readyFile) {
		t.Error("the server says it is ready")
	}
	s.becomes(storeUnreachable)
	up.Store(true)
	s.await()
	s.becomes(notBootstrapped)
	up.Store(false)
	s.becomes(storeUnreachable)
	if s.logs("s3cret") {
		t.Errorf("the password is in the log:\n%s", s.stderr)
	}
}

// TestRefused: a CouchDB that does not take the password is not asked again and again: it would lock the name out, for
// everybody on this machine. A server that waits stops when it is told to.
func TestRefused(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		wrongPassword(w, r)
	}))
	t.Cleanup(front.Close)
	s := begin(t, nil, "--store", front.URL, "--state-dir", t.TempDir())
	testutil.Eventually(t, "an attempt", func() bool { return s.logs("can't be prepared") })
	s.awaitListening()
	s.becomes(storeUnauthorized)
	for range 20 {
		if reason := s.readiness(); reason != storeUnauthorized {
			t.Fatalf("reason %q", reason)
		}
	}
	if log := s.stderr.String(); asked.Load() != 1 || !strings.Contains(log, `"again_in":"1m30s"`) ||
		!strings.Contains(log, front.URL+" refuses the user and password in --store") {
		t.Errorf("asked %d times:\n%s", asked.Load(), log)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
