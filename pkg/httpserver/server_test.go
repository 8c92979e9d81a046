package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestConnectionLimit: beyond the limit a connection waits until another one is closed, and closing the listener does
// not wait for that.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{}, 3)
	s := New(&http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served <- struct{}{} })}, l)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	var conns []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		conns = append(conns, conn)
	}
	<-served
	<-served
	select {
	case <-served:
		t.Fatal("three connections are served, where two are allowed")
	case <-time.After(50 * time.Millisecond): // can't be waited for: nothing is to happen
	}
	_ = conns[0].Close() // the kernel's backlog is in order: this one is served
	<-served
	_ = l.Close()
	if err := <-ended; err == nil {
		t.Error("it accepted on")
	}
	if n := MaxConnections(); n < 1 || n > mostConnections {
		t.Errorf("%d connections at most", n)
	}
}

// TestDrainCutsOff: a request that does not end is cut off when the context ends, and counted.
func TestDrainCutsOff(t *testing.T) {
	t.Parallel()
	l := listen(t)
	begun, release := make(chan struct{}), make(chan struct{})
	s := New(&http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-release
	})}, l)
	go func() { _ = s.Serve() }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if n := s.Drain(ctx); n != 1 {
		t.Errorf("%d connections were cut off", n)
	}
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		t.Error("there is a response")
	}
	close(release)
}
