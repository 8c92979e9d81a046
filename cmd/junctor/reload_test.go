package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"junctor/pkg/testutil"
)

// TestReload: SIGHUP reads the log level of the configuration file again, and an error leaves it as it is.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, ready := filepath.Join(dir, "junctor.yaml"), filepath.Join(dir, "ready.json")
	write := func(text string) {
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("store: \"memory:\"\nlog-level: warn\nlog-format: text\n")
	var log testutil.Log
	cmd := program(t, "serve", "--config", config, "--listen", "127.0.0.1:0", "--ready-file", ready)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testutil.Eventually(t, "the ready file", func() bool { return exists(ready) })
	if text := log.String(); strings.Contains(text, "serving") {
		t.Errorf("log-level warn: %s", text)
	}
	hangUp := func(text string) {
		testutil.Eventually(t, text, func() bool {
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(log.String(), text)
		})
	}
	write("store: \"memory:\"\nlog-level: loud\n")
	hangUp("ERR SIGHUP: the log level stays as it is")
	write("store: \"memory:\"\nlog-level: info\n")
	hangUp("INF SIGHUP: the certificate and the log level of the configuration file are loaded again")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(log.String(), "INF stopping") {
		t.Errorf("%v\n%s", err, &log)
	}
}

// TestServiceManager: systemd learns when the server has begun and when it ends.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	next := func() string {
		_ = socket.SetReadDeadline(time.Now().Add(patience))
		text := make([]byte, 100)
		n, err := socket.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(text[:n])
	}
	cmd := program(t, "serve", "--store", "memory:", "--listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if state := next(); state != "READY=1" {
		t.Errorf("first: %q", state)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state := next(); state != "STOPPING=1" {
		t.Errorf("then: %q", state)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
