package main

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"

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
