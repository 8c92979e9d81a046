package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// backlogListener is a listener that can be stopped without a reset for those who are connected already, as far as
// their machine can tell: the kernel takes connections before the program does, and resets those that nobody has
// accepted when the listener closes.
type backlogListener struct {
	*net.TCPListener
	stopping atomic.Pointer[time.Time] // until when connections are accepted; nil is for ever
}

// backlogPause is how long nobody may have come before the backlog counts as empty.
const backlogPause = 10 * time.Millisecond

var errListenerStopped = errors.New("the listener was stopped")

func listen(address string) (*backlogListener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &backlogListener{TCPListener: l.(*net.TCPListener)}, nil
}

// stop makes Accept return errListenerStopped once nobody has come for a while, or after limit as soon as nobody waits.
func (l *backlogListener) stop(limit time.Duration) {
	_ = l.SetDeadline(time.Now()) // wakes Accept up
	until := time.Now().Add(limit)
	l.stopping.Store(&until)
}

// Accept is a net.Listener's.
func (l *backlogListener) Accept() (net.Conn, error) {
	for {
		until := l.stopping.Load()
		if until != nil {
			if time.Now().After(*until) && !l.someoneWaits() {
				return nil, errListenerStopped
			}
			_ = l.SetDeadline(time.Now().Add(backlogPause))
		}
		conn, err := l.TCPListener.Accept()
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return conn, err
		case until != nil && !l.someoneWaits(): // on a busy machine there may be many since the deadline
			return nil, errListenerStopped
		}
	}
}

// someoneWaits reports whether there are connections in the backlog.
func (l *backlogListener) someoneWaits() bool {
	raw, err := l.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	_ = raw.Control(func(fd uintptr) {
		n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	})
	return n > 0
}

// httpServer serves HTTP on a listener, and ends without cutting off requests.
type httpServer struct {
	*http.Server
	listener    *backlogListener
	connections atomic.Int64
	ended       chan struct{} // closed when nothing is accepted any more
}

func newHTTPServer(h *http.Server, l *backlogListener) *httpServer {
	s := &httpServer{Server: h, listener: l, ended: make(chan struct{})}
	next := h.ConnState
	h.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.connections.Add(-1)
		}
		if next != nil {
			next(conn, state)
		}
	}
	return s
}

// serve serves until the listener is stopped or fails.
func (s *httpServer) serve() error {
	defer close(s.ended)
	return s.Serve(limitConnections(s.listener, maxConnections()))
}

const (
	backlogTime = time.Second            // the longest that a backlog is served
	quietTime   = 500 * time.Millisecond // how long connections without a request stay open for the next one
)

// drain closes the listener, serves who has connected before, and waits for requests under way. Connections on which
// nothing comes stay open for quietTime: a client may just be sending, and its response then closes the connection. If
// ctx ends before that, the remaining requests are cut off, and drain returns how many connections that were.
func (s *httpServer) drain(ctx context.Context) (cutOff int64) {
	s.listener.stop(backlogTime)
	select {
	case <-s.ended:
	case <-ctx.Done():
	}
	_ = s.listener.Close()
	s.waitUntilQuiet(ctx)
	if s.Shutdown(ctx) == nil {
		return 0
	}
	cutOff = s.connections.Load()
	_ = s.Close()
	return cutOff
}

// waitUntilQuiet waits until there are no connections, at most for quietTime.
func (s *httpServer) waitUntilQuiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, quietTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.connections.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
