package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"junctor/pkg/testutil"
)

// TestServe: a new store gets an administrator, who stays the same, and a server that stops leaves no file behind.
func TestServe(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "new", "store")
	s := start(t, "--store", home)
	admin := readAdmin(t, home)
	if got := ok(t, "bootstrap", "--store", home, "--json"); got != readFile(t, adminFile(home)) {
		t.Errorf("bootstrap answers %s", got)
	}
	token := s.login(admin.APIKey)
	s.create(token, "1.2.3.4", "z")
	s.becomes("")
	for _, path := range []string{"/healthz", "/metrics"} {
		if status, _ := s.request("GET", path, "", ""); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	for path, mode := range map[string]os.FileMode{adminFile(home): 0o600, socketFile(home): 0o600 | os.ModeSocket} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v, want mode %v", path, info, err, mode)
		}
	}

	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if exists(s.readyFile) || exists(socketFile(home)) {
		t.Error("the ready file or the socket is still there")
	}
	again := start(t, "--store", home)
	if readAdmin(t, home) != admin {
		t.Error("a restart changes who is admin")
	}
	if status, _ := again.request("GET", "/v2/ips/1.2.3.4", token, ""); status != http.StatusOK {
		t.Errorf("after a restart the address is %d", status)
	}
}

func TestSecondServer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	o := call(t, nil, "serve", "--store", home, "--listen", "127.0.0.1:0")
	if o.code != 1 || !strings.Contains(o.stderr, "is in use by another junctor") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("a second server on a store: %+v", o)
	}
	o = call(t, nil, "serve", "--store", t.TempDir(), "--listen", strings.TrimPrefix(s.url, "http://"))
	if o.code != 1 || !strings.Contains(o.stderr, "address already in use") {
		t.Errorf("a second server on a port: %+v", o)
	}
	if s.becomes(""); !exists(socketFile(home)) {
		t.Error("the first one has no socket any more")
	}
}

// TestDrain: a request that is under way when the server is told to stop gets its answer.
func TestDrain(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	body := fmt.Sprintf(`{"data":{"api_key":%q}}`, readAdmin(t, home).APIKey)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /v2/api_auth HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n",
		len(body))
	answers := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(answers, nil); err != nil || resp.StatusCode != http.StatusContinue {
		t.Fatalf("the server does not begin to read: %+v, %v", resp, err)
	}
	stopped := make(chan int)
	go func() { stopped <- s.stop() }()
	testutil.Eventually(t, "the ready file to go", func() bool { return !exists(s.readyFile) })
	fmt.Fprint(conn, body)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Errorf("the request that was under way: %+v, %v", resp, err)
	}
	if code := <-stopped; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestMemory: a store in memory has its key and its socket in a folder of its own, and leaves nothing.
func TestMemory(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	s := start(t, "--store", "memory:", "--state-dir", state)
	s.login(readAdmin(t, state).APIKey)
	ok(t, "account", "create", "A", "--store", state)
	if got := ok(t, "account", "list", "--store", "memory:", "--state-dir", state); !strings.Contains(got, " A ") {
		t.Errorf("account list: %s", got)
	}
	s.stop()
	for _, args := range []string{"account create A --store memory:", "ips list --store memory: --state-dir " + state} {
		if o := call(t, nil, strings.Fields(args)...); o.code != 1 || !strings.Contains(o.stderr, "--state-dir") || o.stdout != "" {
			t.Errorf("%s without a server: %+v", args, o)
		}
	}
	if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
		t.Errorf("left in the state folder: %v, %v", left, err)
	}

	other := start(t, "--store", "memory:")
	testutil.Eventually(t, "the log to name the folder", func() bool { return other.logs(`"serving"`) })
	_, rest, _ := strings.Cut(other.stderr.String(), `"home":"`)
	home, _, _ := strings.Cut(rest, `"`)
	other.login(readAdmin(t, home).APIKey)
	other.stop()
	if exists(home) {
		t.Errorf("%s is still there", home)
	}
}

// TestProcess runs the program as a process: it ends on a signal, and a killed one is not in the way of the next.
func TestProcess(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for _, end := range []struct {
		signal os.Signal
		code   int
	}{{syscall.SIGKILL, -1}, {syscall.SIGTERM, 0}, {syscall.SIGINT, 0}} {
		s := startProcess(t, nil, "--store", home)
		ok(t, "bootstrap", "--store", home)
		if code := s.end(end.signal); code != end.code {
			t.Errorf("exit code %d after %v", code, end.signal)
		}
	}
}

// TestPanic: what goes wrong while starting is an error like any other.
func TestPanic(t *testing.T) {
	t.Parallel()
	var stderr testutil.Log
	code := run(t.Context(), []string{"junctor", "bootstrap"}, nil, nil, &stderr, &stderr)
	if code != 1 || !strings.HasPrefix(stderr.String(), "junctor: panic: ") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}
