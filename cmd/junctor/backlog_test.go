package main

import (
	"errors"
	"net"
	"testing"
	"time"
)

// TestBacklogIsAccepted is about R3: those who are connected when a listener is stopped, and whom the program has not
// seen yet, are accepted; then it ends.
func TestBacklogIsAccepted(t *testing.T) {
	t.Parallel()
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const waiting = 100
	for range waiting {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	l.stop(patience)
	for i := range waiting {
		conn, err := l.Accept()
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		_ = conn.Close()
	}
	if _, err := l.Accept(); !errors.Is(err, errListenerStopped) {
		t.Errorf("then: %v", err)
	}
}

// TestStopWakesAccept: a listener that waits for connections ends when it is stopped.
func TestStopWakesAccept(t *testing.T) {
	t.Parallel()
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	l.stop(patience)
	select {
	case err := <-ended:
		if !errors.Is(err, errListenerStopped) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("Accept goes on")
	}
}
