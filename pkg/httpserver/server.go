// Package httpserver runs an http.Server with a bound on its connections, and stops it without cutting off clients:
// those that are connected are served, and requests under way are finished. http.Server.Shutdown alone resets
// connections that it has not accepted yet, and closes those whose request is about to arrive.
//
// The package does not know what is served.
package httpserver

import (
	"context"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// mostConnections bounds the connections of clients, and so their memory: some 20 KiB each.
	mostConnections = 4096
	// ownFiles is how many file descriptors are left for the store, the broker and files.
	ownFiles = 256

	backlogTime = time.Second            // the longest that a backlog is served
	quietTime   = 500 * time.Millisecond // how long connections without a request stay open for the next one
)

// MaxConnections returns how many connections may be open at once: fewer than the process may have files.
func MaxConnections() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > mostConnections+ownFiles {
		return mostConnections
	}
	return max(int(limit.Cur)-ownFiles, int(limit.Cur)/2)
}

// Server serves HTTP on a Listener.
type Server struct {
	http     *http.Server
	listener *Listener
	ended    chan struct{} // closed when no connection is accepted any more
}

// New returns a server that runs h. It sets h.ConnState.
func New(h *http.Server, l *Listener) *Server {
	h.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			l.release()
		}
	}
	return &Server{http: h, listener: l, ended: make(chan struct{})}
}

// Serve serves until the listener is stopped or fails: with TLS, and HTTP/2 over it, if the http.Server has a TLSConfig.
func (s *Server) Serve() error {
	defer close(s.ended)
	return Serve(s.http, s.listener)
}

// Serve serves h on l, with TLS if h has a TLSConfig.
func Serve(h *http.Server, l net.Listener) error {
	if h.TLSConfig != nil {
		return h.ServeTLS(l, "", "")
	}
	return h.Serve(l)
}

// Drain closes the listener, serves the clients that have connected before, and waits for requests under way.
// Connections without a request stay open for quietTime: a client may just be sending one, and its response then closes
// the connection. If ctx ends first, Drain closes the remaining connections and returns how many there were.
func (s *Server) Drain(ctx context.Context) (cutOff int) {
	s.listener.stop(backlogTime)
	select {
	case <-s.ended:
	case <-ctx.Done():
	}
	_ = s.listener.Close()
	s.waitUntilQuiet(ctx)
	if s.http.Shutdown(ctx) == nil {
		return 0
	}
	cutOff = s.listener.connections()
	_ = s.http.Close()
	return cutOff
}

// waitUntilQuiet waits until no connections are open, for quietTime at most.
func (s *Server) waitUntilQuiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, quietTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.listener.connections() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
