package adminsocket

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// echo responds with the arguments.
func echo(_ context.Context, _ string, request Request) Response {
	return Response{Stdout: strings.Join(request.Args, " ") + request.Input}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// exhausted is a listener for which there are no file descriptors left, for a while.
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

// TestAcceptsAgain: the socket goes on when there are file descriptors again (S10).
func TestAcceptsAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.sock")
	unix, remove, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &exhausted{Listener: unix}
	l.failures.Store(3)
	s := serve(l, remove, time.Second, zerolog.Nop(), echo)
	defer s.Close()
	response, err := Call(t.Context(), path, Request{Args: []string{"a", "b"}, Input: "c"})
	if err != nil || response.Stdout != "a bc" {
		t.Errorf("got %+v, %v", response, err)
	}
}

// TestCloseWaits: a task that has begun ends before Close returns, and is cancelled after the grace.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.sock")
	begun, ended := make(chan struct{}), false
	s, err := Listen(path, time.Millisecond, zerolog.Nop(), func(ctx context.Context, _ string, _ Request) Response {
		close(begun)
		<-ctx.Done()
		ended = true
		return Response{}
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = Call(context.Background(), path, Request{}) }()
	<-begun
	if s.Close(); !ended || exists(path) {
		t.Errorf("the task has ended: %t, the socket is there: %t", ended, exists(path))
	}
	if _, err := Call(t.Context(), path, Request{}); err != ErrNoServer {
		t.Errorf("then: %v", err)
	}
}

// TestTakenOver: a server that stops does not remove the socket that another one has put in the place of its own.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"short", strings.Repeat("long", 30)} {
		path := filepath.Join(t.TempDir(), name)
		var servers []*Server
		for range 2 {
			s, err := Listen(path, time.Second, zerolog.Nop(), echo)
			if err != nil {
				t.Fatal(err)
			}
			if servers = append(servers, s); len(servers) == 1 {
				_ = os.Remove(path)
			}
		}
		if servers[0].Close(); !exists(path) {
			t.Errorf("%.5s: the other one's socket is gone", name)
		}
		if servers[1].Close(); exists(path) {
			t.Errorf("%.5s: the own socket is still there", name)
		}
	}
}
