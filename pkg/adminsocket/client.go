package adminsocket

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"junctor/pkg/statefile"
)

// errSilent explains that the server accepted no command.
var errSilent = errors.New("the server of this store accepts no command: it is stopping, or it is of an older version, " +
	"and then has to be restarted")

// Call has the server that listens on a socket run a command, and returns its exit code. It refuses a socket that
// another user may have made: the request may have a password in it. version is that of this program.
//
// When ctx ends, the command is cancelled, and Call waits up to cancelTime for the rest of its output.
func Call(ctx context.Context, path, version string, request Request, streams Streams) (code int, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, ErrNoServer
	}
	if err := checkOwner(path); err != nil {
		return 0, err
	}
	s := newSender(ctx, path)
	defer s.abandon()
	body, err := s.begin(call{version, request}, streams.Stdin)
	if err == nil {
		defer body.Close()
		defer context.AfterFunc(ctx, s.cancel)()
		code, err = receive(body, version, streams)
	}
	if failed := s.inputErr.Load(); err != nil && failed != nil {
		return 0, fmt.Errorf("standard input: %w", *failed)
	}
	if err != nil && ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return code, err
}

// sender sends the requests about one command.
type sender struct {
	http     *http.Client
	url      string
	ctx      context.Context // of the requests
	abandon  context.CancelFunc
	inputErr atomic.Pointer[error] // why the input could not be read: the server only learns that there is no more
}

func newSender(ctx context.Context, path string) *sender {
	s := &sender{url: "http://junctor/" + rand.Text(), http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, path) },
	}}}
	s.ctx, s.abandon = context.WithCancel(context.WithoutCancel(ctx))
	return s
}

// begin sends a command and waits until the server has accepted it. It returns the body of the response.
func (s *sender) begin(c call, stdin io.Reader) (io.ReadCloser, error) {
	var head bytes.Buffer
	if err := gob.NewEncoder(&head).Encode(c); err != nil {
		return nil, err
	}
	var body io.Reader = &head
	if stdin != nil {
		body = io.MultiReader(&head, s.forward(stdin))
	}
	late := time.AfterFunc(greetingTime, s.abandon)
	response, err := s.send(http.MethodPost, body)
	switch {
	case !late.Stop():
		return nil, fmt.Errorf("the server of this store did not respond within %s", greetingTime)
	case errors.Is(err, ErrNoServer):
		return nil, ErrNoServer
	case err != nil:
		return nil, errSilent
	}
	return response.Body, nil
}

// forward returns a reader of what is in stdin. Its Read ends when the command is abandoned: net/http waits for that.
func (s *sender) forward(stdin io.Reader) io.Reader {
	reader, writer := io.Pipe()
	context.AfterFunc(s.ctx, func() { _ = reader.Close() })
	go func() {
		_, err := io.Copy(writer, stdin)
		if err != nil && s.ctx.Err() == nil {
			s.inputErr.Store(&err)
		}
		_ = writer.CloseWithError(err)
	}()
	return reader
}

func (s *sender) send(method string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(s.ctx, method, s.url, body)
	if err != nil {
		return nil, err
	}
	return s.http.Do(request)
}

// cancel cancels the command, and abandons it if it goes on.
func (s *sender) cancel() {
	time.AfterFunc(cancelTime, s.abandon)
	if response, err := s.send(http.MethodDelete, nil); err == nil {
		_ = response.Body.Close()
	}
}

// receive writes what the command writes, until it ends.
func receive(body io.Reader, version string, streams Streams) (code int, err error) {
	frames := gob.NewDecoder(body)
	for {
		var f frame
		if err := frames.Decode(&f); err != nil {
			return 0, fmt.Errorf("the server of this store ended before the command had: %w", err)
		}
		switch {
		case f.Ended:
			return f.Code, nil
		case f.Version == version:
			continue
		case f.Version != "":
			return 0, fmt.Errorf("the server of this store is junctor %s and this is junctor %s: restart the server, or use "+
				"the executable that it runs", f.Version, version)
		}
		to, part := streams.Stdout, f.Stdout
		if len(f.Stderr) > 0 {
			to, part = streams.Stderr, f.Stderr
		}
		if _, err := to.Write(part); err != nil {
			return 0, err
		}
	}
}

// checkOwner refuses a socket of another user.
func checkOwner(path string) error {
	if err := statefile.CheckFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return statefile.CheckSocket(path)
}
