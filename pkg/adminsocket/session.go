package adminsocket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"time"
)

// session is a connection in the server, after its greeting.
type session struct {
	conn   net.Conn
	reader *bufio.Reader
	frames frameWriter
	ctx    context.Context
	cancel context.CancelCauseFunc
	input  chan inputPart // from receive to Read; it holds one part, since only one is wanted at a time
	rest   []byte         // of a part, for the next Read
	inErr  error          // how the standard input has ended
}

// inputPart is a part of the standard input, or an error in its place.
type inputPart struct {
	data []byte
	err  error
}

// handleConn serves one connection.
func (s *Server) handleConn(conn net.Conn) {
	defer conn.Close()
	c := &session{conn: conn, reader: bufio.NewReaderSize(conn, maxGreeting), input: make(chan inputPart, 1)}
	request, err := s.greet(c)
	if err != nil {
		return
	}
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(s.ctx))
	defer c.cancel(nil)
	stopping := context.AfterFunc(s.ctx, func() { time.AfterFunc(s.Grace, func() { c.cancel(ErrStopping) }) })
	defer stopping()
	received := make(chan struct{})
	go func() {
		defer close(received)
		c.cancel(c.receive())
	}()
	c.frames.w = deadlineWriter{conn}
	code := s.handle(c.ctx, &Task{
		Request: request, User: peerUser(conn), Stdin: c,
		Stdout: outputStream{c, kindStdout}, Stderr: outputStream{c, kindStderr}, File: outputStream{c, kindFile},
	})
	_ = c.frames.write(kindEnded, []byte{byte(code)})
	_ = conn.Close() // which ends receive
	<-received
}

// greet exchanges versions and reads the request. It gives up when the server is closed.
func (s *Server) greet(c *session) (request Request, err error) {
	_ = c.conn.SetDeadline(time.Now().Add(greetingTime))
	stop := context.AfterFunc(s.ctx, func() { _ = c.conn.SetDeadline(time.Now()) })
	defer func() {
		if !stop() && err == nil {
			err = ErrStopping
		}
		_ = c.conn.SetDeadline(time.Time{})
	}()
	if _, err := readVersion(c.reader); err != nil {
		return request, err
	}
	if _, err := io.WriteString(c.conn, greeting(s.Version)); err != nil {
		return request, err
	}
	k, text, err := readFrame(c.reader, MaxRequest) // a sender of another version hangs up instead
	if err != nil {
		return request, err
	}
	if k != kindRequest {
		return request, errFrame
	}
	return request, json.Unmarshal(text, &request)
}

// receive reads what the sender sends until the connection ends. It returns why the command has to end.
func (c *session) receive() error {
	for {
		k, payload, err := readFrame(c.reader, maxPayload)
		if err != nil {
			return ErrGone
		}
		part := inputPart{data: payload}
		switch {
		case k == kindCancel:
			c.cancel(ErrCancelled)
			continue
		case k == kindInputError:
			part.err = errors.New(string(payload))
		case k != kindInput:
			return errFrame
		case len(payload) == 0:
			part.err = io.EOF
		}
		select {
		case c.input <- part:
		default: // it was not requested
			return errFrame
		}
	}
}

// Read reads the standard input. The sender sends a part when one is wanted, so that what the command does not read is
// left to the commands after it, and receive never waits for the command.
func (c *session) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.rest) == 0 && c.inErr == nil {
		c.rest, c.inErr = c.nextPart()
	}
	if c.inErr != nil {
		return 0, c.inErr
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// nextPart waits for the next part of the standard input.
func (c *session) nextPart() ([]byte, error) {
	if err := c.frames.write(kindInputWanted, nil); err != nil {
		return nil, err
	}
	select {
	case part := <-c.input:
		return part.data, part.err
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	}
}

// outputStream is one of the streams that a command writes to.
type outputStream struct {
	session *session
	kind    kind
}

func (o outputStream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := o.session.frames.write(o.kind, p); err != nil {
		o.session.cancel(ErrGone)
		return 0, err
	}
	return len(p), nil
}

// deadlineWriter bounds how long a Write can wait for the other side to read.
type deadlineWriter struct{ net.Conn }

func (w deadlineWriter) Write(p []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(stallTime))
	return w.Conn.Write(p)
}
