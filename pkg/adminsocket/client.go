package adminsocket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"junctor/pkg/statefile"
)

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
	conn, err := dial(ctx, path)
	if err != nil {
		return 0, ErrNoServer
	}
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, headerSize+maxPayload)
	if err := begin(ctx, conn, reader, version, request); err != nil {
		return 0, err
	}
	c := &call{streams: streams, wanted: make(chan struct{}, 1)}
	c.frames.w = deadlineWriter{conn}
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetReadDeadline(time.Now().Add(cancelTime))
		_ = c.frames.write(kindCancel, nil)
	})
	defer stop()
	defer close(c.wanted)
	go c.sendInput()
	code, err = c.receive(reader)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return code, err
}

// begin exchanges versions and sends the request. Once that is sent, the end of ctx is no error: the command is to be
// cancelled then.
func begin(ctx context.Context, conn net.Conn, reader *bufio.Reader, version string, request Request) (err error) {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(greetingTime))
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Now())
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted
			if err != nil {
				err = context.Cause(ctx)
			}
		}
		_ = conn.SetDeadline(time.Time{})
	}()
	_, err = io.WriteString(conn, greeting(version))
	var found string
	if err == nil {
		found, err = readVersion(reader)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the server of this store did not respond within %s", greetingTime)
	case err != nil:
		return errSilent
	case found != version:
		return versionError(found, version)
	}
	if err := writeRequest(conn, text); err != nil {
		return fmt.Errorf("the server of this store: %w", err)
	}
	return nil
}

// call is a command under way.
type call struct {
	streams Streams
	frames  frameWriter
	wanted  chan struct{}
}

// sendInput sends a part of the standard input whenever one is wanted.
func (c *call) sendInput() {
	buf := make([]byte, maxPayload)
	for range c.wanted {
		n, err := 0, error(nil)
		for n == 0 && err == nil {
			n, err = c.streams.Stdin.Read(buf)
		}
		switch {
		case n > 0: // an error comes again
			err = c.frames.write(kindInput, buf[:n])
		case err == io.EOF:
			err = c.frames.write(kindInput, nil)
		default:
			text := err.Error()
			err = c.frames.write(kindInputError, []byte(text[:min(len(text), maxPayload)]))
		}
		if err != nil {
			return // receive finds out
		}
	}
}

// receive writes what the command writes, until it ends.
func (c *call) receive(reader io.Reader) (code int, err error) {
	for {
		k, payload, err := readFrame(reader, maxPayload)
		if err != nil {
			return 0, fmt.Errorf("the server of this store ended before the command had: %w", err)
		}
		switch k {
		case kindInputWanted:
			select {
			case c.wanted <- struct{}{}:
			default:
				return 0, errFrame
			}
		case kindStdout:
			_, err = c.streams.Stdout.Write(payload)
		case kindStderr:
			_, err = c.streams.Stderr.Write(payload)
		case kindFile:
			_, err = c.streams.File.Write(payload)
		case kindEnded:
			if len(payload) != 1 {
				return 0, errFrame
			}
			return int(payload[0]), nil
		default:
			return 0, errFrame
		}
		if err != nil {
			return 0, err
		}
	}
}

// checkOwner refuses a socket of another user.
func checkOwner(path string) error {
	for _, p := range []string{path, follow(path)} {
		if err := statefile.CheckFolder(filepath.Dir(p)); err != nil {
			return err
		}
	}
	return statefile.CheckSocket(follow(path))
}

// follow returns where a socket is, to which path may be a link, see listen.
func follow(path string) string {
	if target, err := os.Readlink(path); err == nil {
		return target
	}
	return path
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: greetingTime}
	return dialer.DialContext(ctx, "unix", follow(path))
}
