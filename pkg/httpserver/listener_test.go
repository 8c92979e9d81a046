package httpserver

import (
	"errors"
	"net"
	"testing"
	"time"
)

// patience is how long a condition may take to come true.
const patience = 30 * time.Second

func listen(t *testing.T) *Listener {
	t.Helper()
	l, err := Listen("127.0.0.1:0", 1000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestStopAcceptsTheBacklog is about R3: clients that are connected when a listener is stopped, and that the program has
// not seen yet, are accepted; then it ends.
func TestStopAcceptsTheBacklog(t *testing.T) {
	t.Parallel()
	l := listen(t)
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
	if _, err := l.Accept(); !errors.Is(err, errStopped) {
		t.Errorf("then: %v", err)
	}
	if n := l.connections(); n != waiting {
		t.Errorf("%d connections", n)
	}
}

// TestStopWakesAccept: a listener that waits for connections ends when it is stopped.
func TestStopWakesAccept(t *testing.T) {
	t.Parallel()
	l := listen(t)
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	l.stop(patience)
	select {
	case err := <-ended:
		if !errors.Is(err, errStopped) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("Accept goes on")
	}
}
