package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestCouchDB: on an empty CouchDB the server lets nobody in; once somebody bootstraps it, it does.
func TestCouchDB(t *testing.T) {
	t.Parallel()
	p := &place{dsn: storetest.FreshCouch(t), stateDir: t.TempDir()}
	s := p.serve(t)
	for _, token := range []string{"", "nonsense"} {
		if status, _ := s.request("GET", "/v2/ips", token, ""); status != http.StatusUnauthorized {
			t.Errorf("token %q before bootstrap: %d", token, status)
		}
	}
	token := s.login(bootstrapped(t, p.args("")...).APIKey)
	added := ok(t, p.args("sup kazoo_ips_maintenance add 1.2.3.4 z h")...)
	if !strings.HasPrefix(added, "added") {
		t.Errorf("sup: %s", added)
	}
	status, envelope := s.request("GET", "/v2/ips/1.2.3.4", token, "")
	if status != http.StatusOK {
		t.Errorf("the address: %d %v", status, envelope)
	}
	created := newAccount(t, "A", p.args("")...)
	path := "/v2/accounts/" + created.ID + "/ips/1.2.3.4"
	if status, _ := s.request("POST", path, s.login(created.APIKey), ""); status != http.StatusOK {
		t.Errorf("assign: %d", status)
	}
}

// TestCouchDBLater: the server may be started before its CouchDB, and says so while it waits. The password of the
// store is in none of that.
func TestCouchDBLater(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	front := httptest.NewServer(onceUp(&up, forwardTo(t, storetest.FreshCouch(t))))
	t.Cleanup(front.Close)

	s := begin(t, nil, "--state-dir", t.TempDir(), "--max-staleness", "2s",
		"--store", strings.Replace(front.URL, "http://", "http://admin:s3cret%2Fpassword@", 1))
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

	if reason := s.readiness(); reason != storeUnreachable {
		t.Errorf("without a CouchDB reason %q", reason)
	}

	up.Store(true)
	s.await()
	s.becomes(notBootstrapped)
	up.Store(false)
	s.becomes(storeUnreachable)
	if s.logs("s3cret") {
		t.Errorf("the password is in the log:\n%s", s.stderr)
	}
}

// TestStopWhileWaiting: a server that waits for its CouchDB stops when it is told to.
func TestStopWhileWaiting(t *testing.T) {
	t.Parallel()
	front := httptest.NewServer(onceUp(&atomic.Bool{}, nil))
	t.Cleanup(front.Close)
	s := begin(t, nil, "--store", front.URL, "--state-dir", t.TempDir())
	testutil.Eventually(t, "an attempt", func() bool { return s.logs("can't be prepared") })
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestRefused: a CouchDB that does not take the password is not asked again and again: it would lock the name out, for
// everybody on this machine.
func TestRefused(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"unauthorized","reason":"Name or password is incorrect."}`)
	}))
	t.Cleanup(front.Close)
	s := begin(t, nil, "--store", front.URL, "--state-dir", t.TempDir())
	testutil.Eventually(t, "an attempt", func() bool { return s.logs("can't be prepared") })
	s.awaitListening()
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

// onceUp hangs up on everybody until something is up.
func onceUp(up *atomic.Bool, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})
}

// forwardTo passes requests of one administrator on to a CouchDB, whose own administrator may be another.
func forwardTo(t *testing.T, dsn string) http.Handler {
	t.Helper()
	proxy := storetest.Forward(t, dsn)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "admin" || password != "s3cret/password" {
			http.Error(w, "who is this?", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}
