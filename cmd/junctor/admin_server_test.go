package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"junctor/pkg/adminsocket"
)

// TestLongPath: a folder whose path is longer than a socket's may be is served all the same.
func TestLongPath(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	s := start(t, "--store", home)
	target, err := os.Readlink(socketFile(home))
	if err != nil {
		t.Fatal(err)
	}
	ok(t, "account", "create", "A", "--store", home)
	s.stop()
	if exists(socketFile(home)) || exists(filepath.Dir(target)) {
		t.Error("the socket is still there")
	}
}

// TestLeftoverSocket: what a killed server left is replaced, and one that somebody answers on is not.
func TestLeftoverSocket(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: socketFile(home), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(adminFile(home), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := call(t, nil, "serve", "--store", "memory:", "--state-dir", home, "--listen", "127.0.0.1:0")
	if o.code != 1 || !strings.Contains(o.stderr, "is in use by another junctor") || !exists(socketFile(home)) ||
		!exists(adminFile(home)) {
		t.Errorf("a socket in use: %+v", o)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil || !exists(socketFile(home)) {
		t.Fatal("no socket is left over")
	}
	if err := os.Remove(adminFile(home)); err != nil {
		t.Fatal(err)
	}
	start(t, "--store", home)
	ok(t, "account", "create", "A", "--store", home)
}

// TestSocket speaks to the socket as anybody may who can open it.
func TestSocket(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	const usage = `,"code":2}`
	tests := map[string]string{
		`{"args":["sup","kazoo_ips_maintenance","add"]}`: `,"stderr":"","code":0}`,
		`{"args":["serve"]}`:                             usage,
		`{"args":["version"]}`:                           usage,
		`{"args":[]}`:                                    usage,
		`{"args":["bootstrap","--frobnicate"]}`:          usage,
		`nonsense`:                                       "",
		`{"args":["` + strings.Repeat("x", adminsocket.MaxRequest) + `"]}`: "",
	}
	for request, want := range tests {
		conn, err := net.Dial("unix", socketFile(home))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, request+"\n") // fails where the server has heard enough
		answer, _ := io.ReadAll(conn)
		if got := strings.TrimSpace(string(answer)); !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("%.80s: got %s, want %s", request, got, want)
		}
		_ = conn.Close()
	}

	silent, err := net.Dial("unix", socketFile(home)) // must not keep the server from stopping
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
