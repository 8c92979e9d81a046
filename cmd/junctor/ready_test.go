package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/readiness"
	"junctor/pkg/testutil"
)

// readiness returns the reason that /readyz has, "" if the server is ready.
func (s *served) readiness() (reason string) {
	s.Helper()
	status, body := s.request("GET", "/readyz", "", "")
	reason, _ = body["reason"].(string)
	if (status == http.StatusOK) != (reason == "") || status != http.StatusOK && status != http.StatusServiceUnavailable {
		s.Errorf("/readyz: %d %v", status, body)
	}
	return reason
}

// becomes waits until /readyz has a reason.
func (s *served) becomes(reason string) {
	s.Helper()
	testutil.Eventually(s.T, fmt.Sprintf("/readyz to have reason %q, instead of %q", reason, s.readiness()),
		func() bool { return s.readiness() == reason })
}

// onCouch starts a server on a bootstrapped CouchDB and returns its administrator.
func onCouch(t *testing.T, f *faultyCouch, args ...string) (*served, account.Bootstrapped) {
	t.Helper()
	state := t.TempDir()
	admin := bootstrapped(t, "--store", f.direct, "--state-dir", state)
	return start(t, append([]string{"--store", f.url, "--state-dir", state}, args...)...), admin
}

// TestQuietStart: whoever asks while an embedded store is prepared learns that the server starts, and the log of a new
// store has no warning.
func TestQuietStart(t *testing.T) {
	t.Parallel()
	s := begin(t, nil, "--store", t.TempDir())
	s.awaitListening()
	testutil.Eventually(t, "the server to be ready", func() bool {
		reason := s.readiness()
		if reason != "" && reason != starting {
			t.Errorf("reason %q", reason)
		}
		return reason == ""
	})
	for _, level := range []string{"warn", "error"} {
		if s.logged(`"level":"`+level+`"`) != 0 {
			t.Errorf("log:\n%s", s.stderr)
		}
	}
}

// TestNotReadyUntilBootstrapped is about N3: a CouchDB that nobody has bootstrapped is no store to serve, the log says
// what to do, and doing it is enough.
func TestNotReadyUntilBootstrapped(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	state := t.TempDir()
	s := start(t, "--store", f.url, "--state-dir", state)
	remedy := `run \"junctor bootstrap --store ` + f.url
	testutil.Eventually(t, "the log to say what to do", func() bool { return s.logged(remedy) == 1 })
	for range 3 {
		if reason := s.readiness(); reason != notBootstrapped {
			t.Errorf("reason %q", reason)
		}
	}
	if s.logged(remedy) != 1 || s.logged(`"message":"ready"`) != 0 {
		t.Errorf("log:\n%s", s.stderr)
	}
	for _, token := range []string{"", "nonsense"} {
		if status, _ := s.request("GET", "/v2/ips", token, ""); status != http.StatusUnauthorized {
			t.Errorf("token %q before bootstrap: %d", token, status)
		}
	}
	admin := bootstrapped(t, "--store", f.direct, "--state-dir", filepath.Join(state, "other"))
	s.becomes("")
	s.login(admin.APIKey)
	if s.logged(`"message":"ready"`) != 1 {
		t.Errorf("log:\n%s", s.stderr)
	}
}

// TestNotReadyWithoutPool is about R9: without the pool's database nothing can be assigned, and nothing is made in its
// place. Other databases are installed again.
func TestNotReadyWithoutPool(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	s, admin := onCouch(t, f)
	s.becomes("")
	token := s.login(admin.APIKey)
	f.forget()
	// It is not deleted in earnest: a pouchdb-server makes a database again for a request that is under way.
	f.behave(refusing(http.StatusNotFound, "Database does not exist.", func(r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/dedicated_ips")
	}))
	s.becomes(poolMissing)
	f.send(t, http.MethodDelete, "/routing")
	f.send(t, http.MethodDelete, "/routing_claims")
	testutil.Eventually(t, "a routing cluster", func() bool {
		status, _ := s.request("PUT", "/v2/routing/customer_cluster", token,
			`{"data":{"owner":"o","name":"n","ips":{"inbound":{"z":["192.0.2.1"]},"outbound":{}}}}`)
		return status == http.StatusCreated
	})
	testutil.Eventually(t, "the feeds to find out", func() bool { return s.logs("broke off") })
	testutil.Eventually(t, "the log to say what to do", func() bool {
		return s.logs("requests for dedicated IPs fail") && s.logs("restore it")
	}, s.stderr)
	f.behave(nil)
	s.becomes("")
	if s.logged("requests for dedicated IPs fail") != 1 {
		t.Errorf("log:\n%s", s.stderr)
	}
	if made := f.requests(func(request string) bool { return request == "PUT /dedicated_ips" }); len(made) > 0 {
		t.Errorf("it was made %d times", len(made))
	}
}

// TestNotReadyWithoutWrites is about R9: a CouchDB that can be read and refuses writes makes the server not ready, and
// reads go on.
func TestNotReadyWithoutWrites(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	s, admin := onCouch(t, f)
	token := s.login(admin.APIKey)
	s.becomes("")
	isPut := func(r *http.Request) bool { return r.Method == http.MethodPut }
	f.behave(refusing(http.StatusInsufficientStorage, "enospc", isPut))
	s.becomes(storeFull)
	s.must("GET", "/v2/ips", token, "")
	if !s.logs("free space") {
		t.Errorf("log:\n%s", s.stderr)
	}
	f.behave(nil)
	s.becomes("")
}

// TestNotReadyWithWrongPassword: where the password is changed while the server runs, asking whether it is ready is not
// one more wrong login each second, for which CouchDB would lock the name out.
func TestNotReadyWithWrongPassword(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	f.url = strings.Replace(f.url, "://", "://admin:password@", 1)
	s, _ := onCouch(t, f)
	s.becomes("")
	f.behave(wrongPassword)
	s.becomes(storeUnauthorized)
	if s.logged("correct them and start again") != 1 {
		t.Errorf("log:\n%s", s.stderr)
	}
	testutil.Eventually(t, "no request in three seconds", func() bool { // some may have been under way
		f.forget()
		for began := time.Now(); time.Since(began) < 3*readiness.MaxAge; {
			if reason := s.readiness(); reason != storeUnauthorized {
				t.Fatalf("reason %q", reason)
			}
		}
		return len(f.requests(isAny)) == 0
	})
}

// TestIdleServerDoesNotProbe: nobody asks whether an idle server is ready, so it does not write to find out.
func TestIdleServerDoesNotProbe(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	s, _ := onCouch(t, f)
	testutil.Eventually(t, "the log to say that it is ready", func() bool { return s.logged(`"message":"ready"`) == 1 })
	f.forget()
	testutil.Eventually(t, "the feeds to be read a few times", func() bool { return len(f.requests(isAny)) > 6 })
	if probes := f.requests(isProbe); len(probes) > 0 {
		t.Errorf("probes of an idle server: %v", probes)
	}
}

// TestReplacedRoutingDatabase is about P14: what is missing in a database of our own is installed again, and look-ups
// follow what is there now.
func TestReplacedRoutingDatabase(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	s, admin := onCouch(t, f)
	token := s.login(admin.APIKey)
	routing := func(address string) string {
		return `{"data":{"owner":"o","name":"n","ips":{"inbound":{"z":["` + address + `"]},"outbound":{}}}}`
	}
	found := func(address string) bool {
		status, body := s.request("GET", "/v2/routing/lookup?ip="+address, token, "")
		rows, _ := body["data"].([]any)
		return status == http.StatusOK && len(rows) == 1
	}
	s.must("PUT", "/v2/routing/customer_cluster", token, routing("192.0.2.1"))
	testutil.Eventually(t, "the address", func() bool { return found("192.0.2.1") })
	for _, replace := range []func(){
		func() { f.send(t, http.MethodDelete, "/routing"); f.send(t, http.MethodDelete, "/routing_claims") },
		func() {
			f.send(t, http.MethodDelete, "/routing")
			f.send(t, http.MethodPut, "/routing")
			f.send(t, http.MethodDelete, "/routing_claims")
		},
	} {
		replace()
		testutil.Eventually(t, "the listing", func() bool {
			status, _ := s.request("GET", "/v2/routing/customer_clusters", token, "")
			return status == http.StatusOK && !found("192.0.2.1")
		})
		testutil.Eventually(t, "a new document", func() bool {
			status, _ := s.request("PUT", "/v2/routing/customer_cluster", token, routing("192.0.2.1"))
			return (status == 201 || status == 409) && found("192.0.2.1")
		})
	}
	s.becomes("")
	for line := range strings.Lines(s.stderr.String()) {
		if strings.Contains(line, "was installed again") && !strings.Contains(line, `"database":"routing`) {
			t.Errorf("which database is not said: %s", line)
		}
	}
}

// TestDeletedFile is about R6: a server whose file was deleted is not ready and refuses writes, and reads go on.
func TestDeletedFile(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	token := s.loginAdmin(home)
	create := func(address string) int {
		status, _ := s.request("PUT", "/v2/ips", token, `{"data":{"ip":"`+address+`","zone":"z","host":"h"}}`)
		return status
	}
	if status := create("192.0.2.1"); status != http.StatusCreated {
		t.Fatalf("PUT: %d", status)
	}
	s.becomes("")
	if err := os.Remove(filepath.Join(home, "junctor.db")); err != nil {
		t.Fatal(err)
	}
	if status := create("192.0.2.2"); status != http.StatusServiceUnavailable {
		t.Errorf("a write: %d", status)
	}
	s.becomes(storeUnreachable)
	if status, body := s.request("GET", "/v2/ips/192.0.2.1", token, ""); status != http.StatusOK {
		t.Errorf("a read: %d %v", status, body)
	}
	if s.logged("writes are refused and reads go on") != 1 {
		t.Errorf("log:\n%s", s.stderr)
	}
}
