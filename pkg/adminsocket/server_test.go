package adminsocket

import (
	"context"
	"errors"
	"io"
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

const testVersion = "1.2.3"

var options = Options{Version: testVersion, Grace: time.Second, Log: zerolog.Nop()}

// echo prints its arguments and its input.
func echo(_ context.Context, task *Task) int {
	_, _ = io.WriteString(task.Stdout, strings.Join(task.Args, " ")+task.Input)
	return 0
}

func socketOf(t *testing.T) string { return filepath.Join(t.TempDir(), "s.sock") }

// listenFor serves a socket until the test ends, and returns its path.
func listenFor(t *testing.T, handle Handler) string {
	t.Helper()
	path := socketOf(t)
	s, err := Listen(path, options, handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return path
}

// result is what Call returned, and what the command wrote.
type result struct {
	stdout, stderr strings.Builder
	code           int
	err            error
}

func callWith(ctx context.Context, path string, stdin io.Reader, args ...string) *result {
	var r result
	r.code, r.err = Call(ctx, path, testVersion, Request{Args: args},
		Streams{Stdin: stdin, Stdout: &r.stdout, Stderr: &r.stderr})
	return &r
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
	path := socketOf(t)
	unix, remove, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &exhausted{Listener: unix}
	l.failures.Store(3)
	s := serve(l, remove, options, echo)
	defer s.Close()
	if r := callWith(t.Context(), path, nil, "a", "b"); r.err != nil || r.stdout.String() != "a b" {
		t.Errorf("got %q, %v", r.stdout.String(), r.err)
	}
}

// TestCloseWaits: a command that has begun ends before Close returns, and is cancelled after the grace.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	path := socketOf(t)
	begun := make(chan struct{})
	var cause error
	o := options
	o.Grace = time.Millisecond
	s, err := Listen(path, o, func(ctx context.Context, _ *Task) int {
		close(begun)
		<-ctx.Done()
		cause = context.Cause(ctx)
		return 0
	})
	if err != nil {
		t.Fatal(err)
	}
	go callWith(context.Background(), path, nil)
	<-begun
	if s.Close(); !errors.Is(cause, ErrStopping) || exists(path) {
		t.Errorf("the command ended with %v, the socket is there: %t", cause, exists(path))
	}
	if r := callWith(t.Context(), path, nil); r.err != ErrNoServer {
		t.Errorf("then: %v", r.err)
	}
}

// TestTakenOver: a server that stops does not remove the socket that another one has put in the place of its own.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"short", strings.Repeat("long", 30)} {
		path := filepath.Join(t.TempDir(), name, "s.sock")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var servers []*Server
		for range 2 {
			s, err := Listen(path, options, echo)
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
