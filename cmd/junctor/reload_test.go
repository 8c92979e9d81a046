package main

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"junctor/pkg/testutil"
)

// TestReload: SIGHUP reads the log level of the configuration file again, and an error leaves it as it is.
func TestReload(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "junctor.yaml")
	write(t, config, "store: \"memory:\"\nlog-level: warn\nlog-format: text\n")
	s := startProcess(t, nil, "--config", config)
	if s.logs("serving") {
		t.Errorf("log-level warn: %s", s.stderr)
	}
	hangUp := func(text string) {
		testutil.Eventually(t, text, func() bool {
			if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			return s.logs(text)
		})
	}
	write(t, config, "store: \"memory:\"\nlog-level: loud\n")
	hangUp("ERR SIGHUP: the log level stays as it is")
	write(t, config, "store: \"memory:\"\nlog-level: info\n")
	hangUp("INF SIGHUP: the certificate and the log level of the configuration file are loaded again")
	if code := s.end(syscall.SIGTERM); code != 0 || !s.logs("INF stopping") {
		t.Errorf("exit code %d\n%s", code, s.stderr)
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
	s := beginProcess(t, []string{"NOTIFY_SOCKET=" + path}, "--store", "memory:")
	if state := next(); state != "READY=1" {
		t.Errorf("first: %q", state)
	}
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state := next(); state != "STOPPING=1" {
		t.Errorf("then: %q", state)
	}
	if err := s.process.Wait(); err != nil {
		t.Error(err)
	}
}
