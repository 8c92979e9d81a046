// Package adminsocket lets other processes of the same user have tasks done by a server, through a Unix socket. A
// connection carries one request and one response, each a line of JSON.
//
// The package keeps other users out, and bounds requests in size, number and time. It does not know what the tasks are.
package adminsocket

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
)

// Request asks for a task.
type Request struct {
	Args  []string `json:"args"`
	Input string   `json:"input,omitempty"` // what the task would read, as a password
}

// Response is the result of a task.
type Response struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Code   int    `json:"code"`
}

// Handler does a task. user is the sender's name, or "" if the system does not tell.
type Handler func(ctx context.Context, user string, request Request) Response

// MaxRequest bounds a request, in bytes.
const MaxRequest = 4 << 20

const (
	maxTasks       = 64 // at once
	acceptPause    = 10 * time.Millisecond
	maxAcceptPause = time.Second
	requestTime    = 5 * time.Second  // to send a request, or to receive its response
	taskTime       = 15 * time.Minute // for a task: a pass over the accounts of a Kazoo takes minutes
)

// Server serves a socket.
type Server struct {
	listener net.Listener
	remove   func()
	handle   Handler
	grace    time.Duration
	log      zerolog.Logger
	ctx      context.Context // ends when the server is closed
	cancel   context.CancelFunc
	conns    sync.WaitGroup
}

// Listen serves a socket that only its owner can use. grace is how long tasks may go on after Close.
func Listen(path string, grace time.Duration, log zerolog.Logger, handle Handler) (*Server, error) {
	listener, remove, err := listen(path)
	if err != nil {
		return nil, err
	}
	return serve(listener, remove, grace, log, handle), nil
}

func serve(listener net.Listener, remove func(), grace time.Duration, log zerolog.Logger, handle Handler) *Server {
	s := &Server{listener: listener, remove: remove, handle: handle, grace: grace, log: log}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.conns.Go(s.accept)
	return s
}

// Close removes the socket and waits for the tasks under way.
func (s *Server) Close() {
	s.remove()
	s.cancel()
	_ = s.listener.Close()
	s.conns.Wait()
}

func (s *Server) accept() {
	slots := make(chan struct{}, maxTasks)
	pause := backoff.New(acceptPause, maxAcceptPause)
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // as when no file descriptors are left; it passes
			s.log.Warn().Err(err).Msg("the admin socket can't accept connections")
			if pause.Wait(s.ctx) != nil {
				return
			}
			continue
		}
		pause.Reset()
		select {
		case slots <- struct{}{}:
		case <-s.ctx.Done():
			_ = conn.Close()
			return
		}
		s.conns.Go(func() {
			s.handleConn(conn)
			<-slots
		})
	}
}

// handleConn serves one connection.
func (s *Server) handleConn(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), taskTime)
	defer cancel()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	stop := context.AfterFunc(s.ctx, func() {
		_ = conn.SetReadDeadline(time.Now())
		time.AfterFunc(s.grace, cancel)
	})
	defer stop()
	var request Request
	if err := json.NewDecoder(io.LimitReader(conn, MaxRequest)).Decode(&request); err != nil {
		return
	}
	response := s.handle(ctx, peerUser(conn), request)
	_ = conn.SetWriteDeadline(time.Now().Add(requestTime))
	_ = json.NewEncoder(conn).Encode(response)
}
