package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// place is a store to try subcommands on.
type place struct {
	dsn      string
	stateDir string
	keyFile  string  // where its secret key has to be
	server   *served // nil where there is none yet
}

// places returns a new store of each sort: served, not served, and a CouchDB.
func places(t *testing.T) map[string]*place {
	t.Helper()
	home, other, state := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "state")
	return map[string]*place{
		"served":     {dsn: home, keyFile: keyFile(home), server: start(t, "--store", home)},
		"not served": {dsn: other, keyFile: keyFile(other)},
		"CouchDB":    {dsn: storetest.FreshCouch(t), stateDir: state, keyFile: keyFile(state)},
	}
}

// args adds to the arguments of a subcommand which store it is about.
func (p *place) args(text string) []string {
	return append(strings.Fields(text), "--store", p.dsn, "--state-dir", p.stateDir)
}

// serve returns the server of the store, and starts it where there is none.
func (p *place) serve(t *testing.T) *served {
	t.Helper()
	if p.server == nil {
		p.server = start(t, "--store", p.dsn, "--state-dir", p.stateDir)
	}
	return p.server
}

// open opens the store, for which its server has to stop.
func (p *place) open(t *testing.T) *store.Store {
	t.Helper()
	if p.server != nil {
		p.server.stop()
		p.server = nil
	}
	return storetest.Open(t, p.dsn)
}

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
	var admin account.Bootstrapped
	decode(t, ok(t, p.args("bootstrap --json")...), &admin)
	token := s.login(admin.APIKey)
	added := ok(t, p.args("sup kazoo_ips_maintenance add 1.2.3.4 z h")...)
	if !strings.HasPrefix(added, "added") {
		t.Errorf("sup: %s", added)
	}
	status, envelope := s.request("GET", "/v2/ips/1.2.3.4", token, "")
	if status != http.StatusOK {
		t.Errorf("the address: %d %v", status, envelope)
	}
	var created account.Created
	decode(t, ok(t, p.args("account create A --json")...), &created)
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
	testutil.Eventually(t, "two attempts", func() bool { return strings.Count(s.stderr.String(), "can't be prepared") >= 2 })
	s.findURL()
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
	if log := s.stderr.String(); strings.Contains(log, "s3cret") {
		t.Errorf("the password is in the log:\n%s", log)
	}
}

// TestStopWhileWaiting: a server that waits for its CouchDB stops when it is told to.
func TestStopWhileWaiting(t *testing.T) {
	t.Parallel()
	front := httptest.NewServer(onceUp(&atomic.Bool{}, nil))
	t.Cleanup(front.Close)
	s := begin(t, nil, "--store", front.URL, "--state-dir", t.TempDir())
	testutil.Eventually(t, "an attempt", func() bool { return strings.Contains(s.stderr.String(), "can't be prepared") })
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
	testutil.Eventually(t, "an attempt", func() bool { return strings.Contains(s.stderr.String(), "can't be prepared") })
	s.findURL()
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
