package adminsocket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// TestStreams: all three outputs arrive in full and in order, as does the input, whatever their length.
func TestStreams(t *testing.T) {
	t.Parallel()
	path := listenFor(t, func(_ context.Context, task *Task) int {
		_, _ = io.WriteString(task.Stderr, "begins\n")
		n, err := io.Copy(task.File, task.Stdin)
		if err != nil || task.Terminal.Columns != 0 {
			return 1
		}
		_ = binary.Write(task.Stdout, binary.BigEndian, n)
		_, _ = io.WriteString(task.Stderr, "ends\n")
		return 7
	})
	want := bytes.Repeat([]byte("0123456789abcde\n"), 1<<19) // 8 MiB
	for name, stdin := range map[string]io.Reader{
		"whole": bytes.NewReader(want), "empty": strings.NewReader(""),
		"error with data": iotest.DataErrReader(bytes.NewReader(want)),
	} {
		r := callWith(t.Context(), path, stdin)
		sent := want
		if name == "empty" {
			sent = nil
		}
		if r.err != nil || r.code != 7 || r.file.String() != string(sent) || r.stderr.String() != "begins\nends\n" ||
			r.stdout.String() != string(binary.BigEndian.AppendUint64(nil, uint64(len(sent)))) {
			t.Errorf("%s: code %d, %v, %d bytes, stderr %q", name, r.code, r.err, r.file.Len(), r.stderr.String())
		}
	}
}

// TestInputIsLeft: a command that does not read its input leaves it to the next one.
func TestInputIsLeft(t *testing.T) {
	t.Parallel()
	path, stdin := listenFor(t, echo), strings.NewReader("left")
	if r := callWith(t.Context(), path, stdin, "a"); r.err != nil || stdin.Len() != len("left") {
		t.Errorf("%v, %d bytes are left", r.err, stdin.Len())
	}
}

// TestInputError: input that can't be read to its end is not taken for complete.
func TestInputError(t *testing.T) {
	t.Parallel()
	path := listenFor(t, func(_ context.Context, task *Task) int {
		text, err := io.ReadAll(task.Stdin)
		_, _ = io.WriteString(task.Stdout, string(text)+": "+err.Error())
		return 1
	})
	broken := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("the disk is broken")))
	if r := callWith(t.Context(), path, broken); r.code != 1 || r.stdout.String() != "half: the disk is broken" {
		t.Errorf("code %d, %v: %s", r.code, r.err, r.stdout.String())
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

// TestSenderGone: the command of a process that was killed is cancelled, also while it writes.
func TestSenderGone(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan error)
	path := listenFor(t, func(ctx context.Context, task *Task) int {
		close(begun)
		for ctx.Err() == nil {
			_, _ = task.Stdout.Write(make([]byte, maxPayload)) // more than the socket holds
		}
		ended <- context.Cause(ctx)
		return 0
	})
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := begin(t.Context(), conn, bufio.NewReader(conn), testVersion, Request{}); err != nil {
		t.Fatal(err)
	}
	<-begun
	_ = conn.Close()
	if cause := <-ended; !errors.Is(cause, ErrGone) {
		t.Errorf("it ended with %v", cause)
	}
}

// TestServerGone: the sender is told that the server ended before the command had.
func TestServerGone(t *testing.T) {
	t.Parallel()
	path := respondWith(t, func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		_, _ = readVersion(reader)
		_, _ = io.WriteString(conn, greeting(testVersion))
		_, _, _ = readFrame(reader, MaxRequest)
		frames := frameWriter{w: conn}
		_ = frames.write(kindStdout, []byte("half"))
	})
	r := callWith(t.Context(), path, nil)
	if r.err == nil || !strings.Contains(r.err.Error(), "ended before the command had") || r.stdout.String() != "half" {
		t.Errorf("%v: %s", r.err, r.stdout.String())
	}
}

// TestVersions: a server and a command of different versions say so, and what greets in another way gets nothing.
func TestVersions(t *testing.T) {
	t.Parallel()
	path := listenFor(t, func(context.Context, *Task) int { t.Error("a command ran"); return 0 })
	_, err := Call(t.Context(), path, "1.2.4", Request{}, Streams{})
	if err == nil || !strings.Contains(err.Error(), "is junctor 1.2.3 and this is junctor 1.2.4: restart the server") {
		t.Errorf("a newer command: %v", err)
	}
	for _, sent := range []string{`{"args":["bootstrap"]}` + "\n", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 1<<16)} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, sent) // fails where the server has heard enough
		response, _ := io.ReadAll(conn)
		if _ = conn.Close(); len(response) > 0 {
			t.Errorf("%.20q: %s", sent, response)
		}
	}
	old := respondWith(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) })
	if r := callWith(t.Context(), old, nil); r.err == nil || !strings.Contains(r.err.Error(), "older version") {
		t.Errorf("an older server: %v", r.err)
	}
}

// respondWith serves one connection.
func respondWith(t *testing.T, serve func(net.Conn)) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s.sock")
	listener, _, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		if conn, err := listener.Accept(); err == nil {
			serve(conn)
			_ = conn.Close()
		}
	}()
	return path
}

// TestTooLong: arguments that are too long are refused before they are sent, and frames that are when they arrive.
func TestTooLong(t *testing.T) {
	t.Parallel()
	path := listenFor(t, echo)
	r := callWith(t.Context(), path, nil, strings.Repeat("x", MaxRequest))
	if r.err == nil || !strings.Contains(r.err.Error(), "are longer than") {
		t.Errorf("%v", r.err)
	}
	frame := binary.BigEndian.AppendUint32([]byte{byte(kindInput)}, maxPayload+1)
	if _, _, err := readFrame(bytes.NewReader(frame), maxPayload); !errors.Is(err, errFrame) {
		t.Errorf("a frame: %v", err)
	}
}
