package main

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// exhausted is a listener for which there are no descriptors left, for a while.
type exhausted struct {
	net.Listener
	failures atomic.Int32
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// TestSocketAcceptsAgain: the socket goes on when there are descriptors again (S10).
func TestSocketAcceptsAgain(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/s.sock"
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := &exhausted{Listener: unix}
	l.failures.Store(3)
	s := &adminServer{listener: l, log: zerolog.Nop(), ctx: ctx}
	s.conns.Go(s.accept)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write([]byte("{\"args\":[\"nonsense\"]}\n"))
	if n, err := conn.Read(make([]byte, 100)); n == 0 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = conn.Close()
	cancel()
	_ = unix.Close()
	s.conns.Wait()
}

// TestConnectionLimit: beyond the limit a connection waits until another one is closed.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(tcp, 2)
	accepted, ended := make(chan net.Conn), make(chan error)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("three connections, where two are allowed")
	case <-time.After(50 * time.Millisecond): // can't be waited for: nothing is to happen
	}
	_ = first.Close()
	_ = first.Close() // gives its place back once
	third := <-accepted
	if _, ok := third.(interface{ CloseWrite() error }); !ok {
		t.Error("net/http can't close one direction")
	}
	_ = l.Close()
	if err := <-ended; err == nil {
		t.Error("accepted on")
	}
	_, _ = second.Close(), third.Close()
	if n := maxConnections(); n < 1 || n > mostConnections {
		t.Errorf("%d connections at most", n)
	}
}
