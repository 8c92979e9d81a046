package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"junctor/pkg/testutil"
)

// stopBound is how long a stop may take, whatever hangs.
const stopBound = patience

// TestStopWithHungStore is about B3: a server whose CouchDB hangs, with a request under way and one write that nobody
// has followed up yet, takes no new requests once it is told to stop, and ends in time.
func TestStopWithHungStore(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	s, admin := onCouch(t, f, "--max-staleness", "1h") // the request under way reads memory, however busy the machine is
	token := s.login(admin.APIKey)
	created := newAccount(t, "A", "--store", f.direct, "--state-dir", t.TempDir())
	s.create(token, "1.2.3.4", "z")
	path := "/v2/accounts/" + created.ID + assignedAddress
	s.must("POST", path, token, `{"data":{}}`)
	f.hang(t)
	f.forget()
	underWay := make(chan struct{})
	go func() {
		defer close(underWay)
		_, _, _ = s.send("DELETE", path, token, "")
	}()
	testutil.Eventually(t, "the request to reach the store", func() bool { return len(f.requests(isChange)) > 0 })

	began := time.Now()
	stopped := make(chan int, 1)
	go func() { stopped <- s.stop() }()
	testutil.Eventually(t, "connections to be refused", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	refused := time.Since(began)
	code := <-stopped
	t.Logf("connections were refused after %s, the server ended after %s", refused, time.Since(began))
	if code != 0 || time.Since(began) > stopBound {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}
	if refused > stopBound/2 {
		t.Errorf("connections were accepted for %s", refused)
	}
	<-underWay
}

// TestStopWithHungHook: a billing hook and a broker that hang do not keep the server from ending.
func TestStopWithHungHook(t *testing.T) {
	t.Parallel()
	called := make(chan struct{}, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if strings.Contains(string(text), "quote") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
			return
		}
		called <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(hook.Close)
	broker, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Close() })
	home := t.TempDir()
	s := start(t, "--store", home, "--billing-url", hook.URL, "--amqp-url", "amqp://guest:guest@"+broker.Addr().String()+"/")
	s.assign(home)
	<-called
	began := time.Now()
	if code := s.stop(); code != 0 || time.Since(began) > stopBound {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}
}

// TestFollowersAreAbandoned: one that does not end in time is not waited for.
func TestFollowersAreAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		for _, hangs := range []bool{false, true} {
			f := newFollowers()
			f.run(func(ctx context.Context) { <-ctx.Done(); time.Sleep(followerTime / 2) })
			want := followerTime / 2
			if hangs {
				f.run(func(context.Context) { <-release })
				want = followerTime
			}
			began := time.Now()
			if ended := f.stop(followerTime); ended == hangs || time.Since(began) != want {
				t.Errorf("%t after %s", ended, time.Since(began))
			}
		}
	})
}

// TestSeparateMetrics: /metrics is served on --metrics-listen, and there only.
func TestSeparateMetrics(t *testing.T) {
	t.Parallel()
	s := start(t, "--store", "memory:", "--metrics-listen", "127.0.0.1:0")
	if status, _ := s.request("GET", "/metrics", "", ""); status != http.StatusNotFound {
		t.Errorf("/metrics beside the API: %d", status)
	}
	before, _, found := strings.Cut(s.stderr.String(), `/metrics"`)
	if !found {
		t.Fatalf("log:\n%s", s.stderr)
	}
	apart := &served{T: t, url: before[strings.LastIndex(before, `"`)+1:]}
	if text := apart.metrics(); !strings.Contains(text, "junctor_store_call_duration_seconds") {
		t.Errorf("/metrics: %s", text)
	}
	if status, _ := apart.request("GET", "/healthz", "", ""); status != http.StatusNotFound {
		t.Errorf("/healthz beside /metrics: %d", status)
	}
	s.stop()
	if _, err := net.Dial("tcp", strings.TrimPrefix(apart.url, "http://")); err == nil {
		t.Error("metrics are served after the end")
	}
}

// TestHangup is about N6: the end of the terminal that it was started in is not the end of a server, and a store in
// memory leaves nothing behind.
func TestHangup(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	s := startProcess(t, []string{"TMPDIR=" + temporary}, "--store", "memory:")
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	requests := 0 // a few, since a signal may take a moment
	testutil.Eventually(t, "some requests after SIGHUP", func() bool {
		status, _ := s.request("GET", "/healthz", "", "")
		requests++
		return status == http.StatusOK && requests == 50
	})
	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.stderr)
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
