package adminsocket

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// TestStreams: both outputs arrive in full and in order, as does the input, whatever their length.
func TestStreams(t *testing.T) {
	t.Parallel()
	path := listenFor(t, func(_ context.Context, task *Task) int {
		_, _ = io.WriteString(task.Stderr, "begins\n")
		n, err := io.Copy(task.Stdout, task.Stdin)
		if err != nil || task.Terminal.Columns != 0 {
			return 1
		}
		_, _ = io.WriteString(task.Stderr, "ends after "+strconv.FormatInt(n, 10)+"\n")
		return 7
	})
	long := strings.Repeat("0123456789abcde\n", 1<<19) // 8 MiB
	for name, stdin := range map[string]io.Reader{
		"whole": strings.NewReader(long), "empty": strings.NewReader(""), "none": nil,
		"error with data": iotest.DataErrReader(strings.NewReader(long)),
	} {
		want := long
		if name == "empty" || name == "none" {
			want = ""
		}
		r := callWith(t.Context(), path, stdin)
		if r.err != nil || r.code != 7 || r.stdout.String() != want ||
			r.stderr.String() != "begins\nends after "+strconv.Itoa(len(want))+"\n" {
			t.Errorf("%s: code %d, %v, %d bytes, stderr %q", name, r.code, r.err, r.stdout.Len(), r.stderr.String())
		}
	}
}

// TestUnreadInput: a command ends before it has read its input, of which there may be no end.
func TestUnreadInput(t *testing.T) {
	t.Parallel()
	silent, writer := io.Pipe()
	defer writer.Close()
	if r := callWith(t.Context(), listenFor(t, echo), silent, "a"); r.err != nil || r.stdout.String() != "a" {
		t.Errorf("%v: %s", r.err, r.stdout.String())
	}
}

// slowWriter notes the longest part that is written to it, and waits after the first one.
type slowWriter struct {
	strings.Builder
	wait    time.Duration
	longest int
}

func (w *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(w.wait)
	w.wait, w.longest = 0, max(w.longest, len(p))
	return w.Builder.Write(p)
}

// endless is an input that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestEndlessInput: what a command has written arrives in full, in bounded parts, although the sender reads it long after
// the command has ended, and still sends.
func TestEndlessInput(t *testing.T) {
	t.Parallel()
	path := listenFor(t, func(_ context.Context, task *Task) int {
		_, _ = io.ReadFull(task.Stdin, make([]byte, 100))
		_, _ = io.WriteString(task.Stdout, "begins\n")
		_, _ = task.Stdout.Write(make([]byte, maxPart+1))
		return 7
	})
	stdout := slowWriter{wait: time.Second} // net/http closes a connection half a second after a response
	code, err := Call(t.Context(), path, testVersion, Request{}, Streams{Stdin: endless{}, Stdout: &stdout})
	if err != nil || code != 7 || stdout.Len() != 7+maxPart+1 || stdout.longest != maxPart {
		t.Errorf("code %d, %v, %d bytes, of which %d at once", code, err, stdout.Len(), stdout.longest)
	}
}

// TestHalfRequest: who sends half a request keeps no server from closing.
func TestHalfRequest(t *testing.T) {
	t.Parallel()
	path := socketOf(t)
	s, err := Listen(path, options, echo)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	s.Close()
}

// TestUnreadOutput: a server stops while nobody reads what a command writes.
func TestUnreadOutput(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.sock")
	begun, cause := make(chan struct{}), make(chan error, 1)
	s, err := Listen(path, options, func(ctx context.Context, task *Task) int {
		close(begun)
		for part := make([]byte, 1<<16); ; {
			if _, err := task.Stdout.Write(part); err != nil {
				cause <- context.Cause(ctx)
				return 1
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	unread, writer := io.Pipe()
	defer unread.Close()
	go func() { _, _ = Call(context.Background(), path, testVersion, Request{}, Streams{Stdout: writer}) }()
	<-begun
	s.Close()
	if err := <-cause; !errors.Is(err, ErrStopping) {
		t.Errorf("the command ended with %v", err)
	}
}

// TestInputError: input that can't be read to its end is not taken for complete.
func TestInputError(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	half, writer := io.Pipe()
	path := listenFor(t, func(_ context.Context, task *Task) int {
		_ = writer.CloseWithError(errors.New("the disk is broken"))
		_, err := io.ReadAll(task.Stdin)
		read <- err
		return 1
	})
	r := callWith(t.Context(), path, io.MultiReader(strings.NewReader("half"), half))
	if r.err == nil || r.err.Error() != "standard input: the disk is broken" {
		t.Errorf("code %d, %v", r.code, r.err)
	}
	if err := <-read; !errors.Is(err, ErrGone) {
		t.Errorf("the command reads %v", err)
	}
}

// TestCancel: a command whose sender is interrupted is cancelled, whatever it waits for, and says what it has done.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	path := listenFor(t, func(ctx context.Context, task *Task) int {
		cancel()
		_, err := task.Stdin.Read(make([]byte, 1)) // which never comes
		_, again := task.Stdin.Read(make([]byte, 1))
		if !errors.Is(err, ErrCancelled) || !errors.Is(again, ErrCancelled) || ctx.Err() == nil {
			return 2
		}
		_, _ = io.WriteString(task.Stdout, "half is done")
		return 1
	})
	silent, writer := io.Pipe()
	defer writer.Close()
	if r := callWith(ctx, path, silent); r.err != nil || r.code != 1 || r.stdout.String() != "half is done" {
		t.Errorf("code %d, %v: %s", r.code, r.err, r.stdout.String())
	}
}

// TestSenderGone: the command of a process that was killed is cancelled, while it writes and while it does not.
func TestSenderGone(t *testing.T) {
	t.Parallel()
	for _, writes := range []bool{false, true} {
		begun, ended := make(chan struct{}), make(chan error, 1)
		path := listenFor(t, func(ctx context.Context, task *Task) int {
			close(begun)
			for writes && ctx.Err() == nil {
				_, _ = task.Stdout.Write(make([]byte, 1<<16)) // more than the socket holds
			}
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return 0
		})
		s := newSender(t.Context(), path)
		body, err := s.begin(call{Version: testVersion}, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-begun
		s.abandon()
		_ = body.Close()
		if cause := <-ended; !errors.Is(cause, ErrGone) {
			t.Errorf("it ended with %v", cause)
		}
	}
}

// TestServerGone: the sender is told that the server ended before the command had.
func TestServerGone(t *testing.T) {
	t.Parallel()
	path := respondWith(t, func(w http.ResponseWriter) {
		frames := gob.NewEncoder(w)
		_ = frames.Encode(frame{Version: testVersion})
		_ = frames.Encode(frame{Stdout: []byte("half")})
	})
	r := callWith(t.Context(), path, nil)
	if r.err == nil || !strings.Contains(r.err.Error(), "ended before the command had") || r.stdout.String() != "half" {
		t.Errorf("%v: %s", r.err, r.stdout.String())
	}
}

// TestVersions: a server and a command of different versions say so, and what is no command runs none.
func TestVersions(t *testing.T) {
	t.Parallel()
	path := listenFor(t, func(context.Context, *Task) int { t.Error("a command ran"); return 0 })
	_, err := Call(t.Context(), path, "1.2.4", Request{}, Streams{})
	if err == nil || !strings.Contains(err.Error(), "is junctor 1.2.3 and this is junctor 1.2.4: restart the server") {
		t.Errorf("a newer command: %v", err)
	}
	for _, sent := range []string{"junctor-admin 1.2.2\n\n", "GET / HTTP/1.0\r\n\r\n", "POST /x HTTP/1.0\r\nContent-Length: 4\r\n\r\n{\"a\""} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, sent)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
	old := respondWith(t, func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
	if r := callWith(t.Context(), old, nil); r.err == nil || !strings.Contains(r.err.Error(), "older version") {
		t.Errorf("an older server: %v", r.err)
	}
}

// respondWith serves a socket until the test ends.
func respondWith(t *testing.T, respond func(http.ResponseWriter)) (path string) {
	t.Helper()
	path = socketOf(t)
	listener, _, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		respond(w)
	})}
	t.Cleanup(func() { _ = s.Close() })
	go func() { _ = s.Serve(listener) }()
	return path
}
