package adminsocket

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
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
	listener net.Listener
	remove   func()
	handle   Handler
	ctx      context.Context // ends when the server is closed
	cancel   context.CancelFunc
	conns    sync.WaitGroup
}

// Listen serves a socket that only its owner can use.
func Listen(path string, o Options, handle Handler) (*Server, error) {
	listener, remove, err := listen(path)
	if err != nil {
		return nil, err
	}
	return serve(listener, remove, o, handle), nil
}

func serve(listener net.Listener, remove func(), o Options, handle Handler) *Server {
	s := &Server{Options: o, listener: listener, remove: remove, handle: handle}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.conns.Go(s.accept)
	return s
}

// Close removes the socket and waits for the commands under way, which are cancelled after the grace.
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
			s.Log.Warn().Err(err).Msg("the admin socket can't accept connections")
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
