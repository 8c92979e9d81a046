package adminsocket

import (
	"bufio"
	"cmp"
	"context"
	"encoding/gob"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Options are the options of Listen.
type Options struct {
	Version string        // of the program; senders of another one are refused
	Grace   time.Duration // how long commands may go on after Close
	Log     zerolog.Logger
}

// Server serves a socket.
type Server struct {
	Options
	http   *http.Server
	remove func()
	handle Handler
	slots  chan struct{}
	tasks  sync.Map        // id of a command > context.CancelCauseFunc
	ctx    context.Context // of all commands
	cancel context.CancelCauseFunc
}

// Listen serves a socket that only its owner can use.
func Listen(path string, o Options, handle Handler) (*Server, error) {
	listener, remove, err := listen(path)
	if err != nil {
		return nil, err
	}
	return serve(listener, remove, o, handle), nil
}

// peer is the key of a connection's context for the user at its other end.
type peer struct{}

func serve(listener net.Listener, remove func(), o Options, handle Handler) *Server {
	s := &Server{Options: o, remove: remove, handle: handle, slots: make(chan struct{}, maxTasks)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{id}", s.run)
	mux.HandleFunc("DELETE /{id}", s.cancelTask)
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: greetingTime,
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, peer{}, peerUser(conn))
		},
		ErrorLog: log.New(o.Log.With().Str("level", "warn").Str("from", "admin socket").Logger(), "", 0),
	}
	go func() { _ = s.http.Serve(listener) }()
	return s
}

// Close removes the socket and waits for the commands under way, which are cancelled after the grace.
func (s *Server) Close() {
	s.remove()
	ctx, cancel := context.WithTimeout(context.Background(), s.Grace)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.cancel(ErrStopping)
		_ = s.http.Shutdown(context.Background())
	}
}

// run runs a command.
func (s *Server) run(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-time.After(2 * greetingTime): // the sender has given up
		return
	case <-s.ctx.Done():
		return
	}
	conn := http.NewResponseController(w)
	_ = conn.EnableFullDuplex()
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.Context(), func() { cancel(cmp.Or(context.Cause(s.ctx), ErrGone)) })()
	out := &output{to: gob.NewEncoder(w), conn: conn, ctx: ctx, cancel: cancel}
	defer context.AfterFunc(ctx, func() {
		_ = conn.SetReadDeadline(time.Now()) // which ends a Read of the input
		out.setDeadline()
	})()
	in := bufio.NewReader(r.Body)
	var c call
	late := time.AfterFunc(greetingTime, func() { cancel(ErrGone) })
	defer late.Stop()
	if gob.NewDecoder(in).Decode(&c) != nil || !late.Stop() {
		return
	}
	s.tasks.Store(r.PathValue("id"), cancel)
	defer s.tasks.Delete(r.PathValue("id"))
	if out.send(frame{Version: s.Version}) != nil || c.Version != s.Version {
		return
	}
	user, _ := r.Context().Value(peer{}).(string)
	code := s.handle(ctx, &Task{
		Request: c.Request, User: user, Stdin: &receivedInput{in, ctx, cancel},
		Stdout: stream(func(p []byte) error { return out.send(frame{Stdout: p}) }),
		Stderr: stream(func(p []byte) error { return out.send(frame{Stderr: p}) }),
	})
	if out.send(frame{Ended: true, Code: code}) == nil {
		// The sender hangs up when it has read the response. It loses the rest of it if the connection ends while it sends.
		late.Reset(stallTime)
		_, _ = io.Copy(io.Discard, in)
	}
}

// cancelTask cancels a command.
func (s *Server) cancelTask(_ http.ResponseWriter, r *http.Request) {
	if cancel, found := s.tasks.Load(r.PathValue("id")); found {
		cancel.(context.CancelCauseFunc)(ErrCancelled)
	}
}

// output sends the frames of a response, for several goroutines.
type output struct {
	mu     sync.Mutex
	to     *gob.Encoder
	conn   *http.ResponseController
	ctx    context.Context // of the command
	cancel context.CancelCauseFunc
}

// setDeadline bounds how long a part of the output waits for the other side. The command may be cancelled meanwhile.
func (o *output) setDeadline() {
	_ = o.conn.SetWriteDeadline(time.Now().Add(stallTime))
	if o.ctx.Err() != nil {
		_ = o.conn.SetWriteDeadline(time.Now().Add(lastTime))
	}
}

func (o *output) send(f frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.setDeadline()
	err := o.to.Encode(f)
	if err == nil {
		err = o.conn.Flush()
	}
	if err != nil {
		o.cancel(ErrGone)
	}
	return err
}

// stream is one of the streams that a command writes to.
type stream func(p []byte) error

func (send stream) Write(p []byte) (n int, err error) {
	for part := range slices.Chunk(p, maxPart) {
		if err := send(part); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// receivedInput is the standard input of a command.
type receivedInput struct {
	from   io.Reader
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (i *receivedInput) Read(p []byte) (int, error) {
	n, err := i.from.Read(p)
	if err != nil && err != io.EOF { // the command was cancelled, or there will be no more
		i.cancel(ErrGone)
		err = context.Cause(i.ctx)
	}
	return n, err
}
