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
	ok(t, "account", "create", "A", "--store", home)
	s.stop()
	if exists(socketFile(home)) {
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
	write(t, adminFile(home), "{}")
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

// TestSocket asks for what the commands do not ask for.
func TestSocket(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	start(t, "--store", home)
	for args, want := range map[string]int{
		"sup kazoo_ips_maintenance add": 0, "serve": 2, "version": 2, "": 2, "bootstrap --frobnicate": 2,
	} {
		var stderr strings.Builder
		code, err := adminsocket.Call(t.Context(), socketFile(home), version(),
			adminsocket.Request{Args: strings.Fields(args)}, adminsocket.Streams{Stdout: io.Discard, Stderr: &stderr})
		if err != nil || code != want || (stderr.Len() > 0) != (want == 2) {
			t.Errorf("%s: got %d %v %s, want %d", args, code, err, &stderr, want)
		}
	}
}
