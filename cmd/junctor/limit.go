package main

import (
	"net"
	"sync"
	"syscall"
)

const (
	// mostConnections bounds the connections of clients, and so what they take: some 20 KiB each.
	mostConnections = 4096
	// ownFiles is how many descriptors are left for the store, the broker and files.
	ownFiles = 256
)

// maxConnections returns how many connections of clients may be open at once: fewer than the process may have files.
func maxConnections() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > mostConnections+ownFiles {
		return mostConnections
	}
	return max(int(limit.Cur)-ownFiles, int(limit.Cur)/2)
}

// limitListener accepts connections as long as there are fewer than a limit. Others wait until one is closed.
// (golang.org/x/net/netutil has one whose connections hide CloseWrite, without which net/http can't tell a client
// that its body is not wanted.)
type limitListener struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	close  func() error
}

func limitConnections(l net.Listener, limit int) *limitListener {
	limited := &limitListener{Listener: l, places: make(chan struct{}, limit), closed: make(chan struct{})}
	limited.close = sync.OnceValue(func() error {
		close(limited.closed)
		return l.Close()
	})
	return limited
}

// Accept is a net.Listener's.
func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &limitedConn{conn.(stream), sync.OnceFunc(func() { <-l.places })}, nil
}

// Close is a net.Listener's.
func (l *limitListener) Close() error { return l.close() }

// stream is a connection of which one direction can be closed, as a *net.TCPConn.
type stream interface {
	net.Conn
	CloseWrite() error
}

type limitedConn struct {
	stream
	leave func()
}

// Close is a net.Conn's.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.stream.Close()
}
