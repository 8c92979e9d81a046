package httpserver

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Listener accepts TCP connections, at most a limit at once: others wait until one is closed. It can be stopped without
// a reset for clients that are connected already as far as they can tell: the kernel completes connections before the
// program accepts them, and resets those that wait when a listener is closed.
type Listener struct {
	*net.TCPListener
	slots    chan struct{}             // has a value for each open connection, and for a call of Accept that waits for one
	stopping atomic.Pointer[time.Time] // until when connections are accepted; nil before stop
	close    func() error
	closed   chan struct{}
}

// backlogPause is how long no connection may come before the backlog counts as empty.
const backlogPause = 10 * time.Millisecond

var errStopped = errors.New("the listener was stopped")

// Listen listens on a TCP address, and accepts so many connections at once.
func Listen(address string, limit int) (*Listener, error) {
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	l := &Listener{
		TCPListener: tcp.(*net.TCPListener), slots: make(chan struct{}, limit), closed: make(chan struct{}),
	}
	l.close = sync.OnceValue(func() error {
		close(l.closed)
		return l.TCPListener.Close()
	})
	return l, nil
}

// Close implements net.Listener.
func (l *Listener) Close() error { return l.close() }

// Accept implements net.Listener. The caller has to release the connection once it is closed. (A wrapper that does so
// would hide CloseWrite, without which net/http can't tell a client that its body is not wanted.)
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.accept()
	if err != nil {
		l.release()
	}
	return conn, err
}

// release makes room for another connection.
func (l *Listener) release() { <-l.slots }

// connections returns how many connections are open, once Accept is not called any more.
func (l *Listener) connections() int { return len(l.slots) }

func (l *Listener) accept() (net.Conn, error) {
	for {
		until := l.stopping.Load()
		if until != nil {
			if time.Now().After(*until) && !l.hasBacklog() {
				return nil, errStopped
			}
			_ = l.SetDeadline(time.Now().Add(backlogPause))
		}
		conn, err := l.TCPListener.Accept()
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return conn, err
		case until != nil && !l.hasBacklog(): // on a busy machine there may be many since the deadline
			return nil, errStopped
		}
	}
}

// stop makes Accept return errStopped as soon as no connection has come for backlogPause, or as no connection waits
// after limit.
func (l *Listener) stop(limit time.Duration) {
	_ = l.SetDeadline(time.Now()) // wakes Accept
	until := time.Now().Add(limit)
	l.stopping.Store(&until)
}

// hasBacklog reports whether connections wait to be accepted.
func (l *Listener) hasBacklog() bool {
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
