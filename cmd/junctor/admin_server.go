package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/backoff"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
)

// Through the admin socket a server executes the tasks of other commands on its store: nobody else can open an embedded
// store, and what a server writes to a CouchDB it also reports to the broker and the billing hook. A connection carries
// one request and one response, each a line of JSON.

// adminRequest asks for a task. Args are complete without the environment of the command that sends it.
type adminRequest struct {
	Args  []string `json:"args"`
	Input string   `json:"input,omitempty"` // see storeTask.input
}

// adminResponse is the result of a task.
type adminResponse struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Code   int    `json:"code"`
}

const (
	maxTasks       = 64 // at once
	acceptPause    = 10 * time.Millisecond
	maxAcceptPause = time.Second
	requestBytes   = 4 << 20                 // over twice the input of a task, since quotes are escaped
	requestTime    = 5 * time.Second         // to send a request
	taskTime       = 15 * time.Minute        // for a task: a pass over the accounts of a Kazoo takes minutes
	closingTime    = drainTime - time.Second // for a task, once the server is stopping
)

// adminServer serves the socket.
type adminServer struct {
	listener net.Listener
	app      *app
	log      zerolog.Logger
	ctx      context.Context // ends when the server is closed
	conns    sync.WaitGroup
}

// openSocket opens the admin socket of the store. home is the folder that openHome returned. Where no socket can be
// made, a CouchDB is served without one, and so is an embedded store on a full disk.
func (f *serveFlags) openSocket(home string, a *app, log zerolog.Logger) (closeSocket func(), err error) {
	path := f.socket(home)
	if path == "" {
		return withoutSocket(fmt.Errorf("the socket: %w", errNoState), log)
	}
	if !store.IsCouchDB(f.dsn) {
		closeSocket, err := openAdminServer(path, a, log)
		if statefile.IsFull(err) {
			return withoutSocket(err, log)
		}
		return closeSocket, err
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return withoutSocket(err, log)
	}
	if err := statefile.CheckFolder(folder); err != nil {
		return nil, err
	}
	if closeSocket, err = openAdminServer(path, a, log); err != nil {
		return withoutSocket(err, log)
	}
	return closeSocket, nil
}

func withoutSocket(cause error, log zerolog.Logger) (closeSocket func(), err error) {
	log.Warn().Err(cause).Msg("there is no admin socket: other commands can't use this server")
	return func() {}, nil
}

// openAdminServer opens a socket that only its owner can use. Closing it waits for the tasks under way.
func openAdminServer(path string, a *app, log zerolog.Logger) (closeServer func(), err error) {
	listener, remove, err := listenAt(path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &adminServer{listener: listener, app: a, log: log, ctx: ctx}
	s.conns.Go(s.accept)
	return func() {
		remove()
		cancel()
		_ = listener.Close()
		s.conns.Wait()
	}, nil
}

func (s *adminServer) accept() {
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

// handleConn serves one connection. A task that has begun gets closingTime to finish when the server is closed.
func (s *adminServer) handleConn(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), taskTime)
	defer cancel()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	stop := context.AfterFunc(s.ctx, func() {
		_ = conn.SetReadDeadline(time.Now())
		time.AfterFunc(closingTime, cancel)
	})
	defer stop()
	var request adminRequest
	if err := json.NewDecoder(io.LimitReader(conn, requestBytes)).Decode(&request); err != nil {
		return
	}
	log := s.log.With().Str("source", source(request.Args))
	if user := peerUser(conn); user != "" {
		log = log.Str("os_user", user)
	}
	response := s.execute(log.Logger().WithContext(ctx), request)
	_ = conn.SetWriteDeadline(time.Now().Add(requestTime))
	_ = json.NewEncoder(conn).Encode(response)
}

// source returns the name of the command, for the log.
func source(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// execute runs a command. With an app, a cli has only the commands that work on a store.
func (s *adminServer) execute(ctx context.Context, request adminRequest) adminResponse {
	var stdout, stderr bytes.Buffer
	c := &cli{
		getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		input: request.Input, app: s.app,
	}
	code := c.run(ctx, request.Args)
	return adminResponse{Stdout: stdout.String(), Stderr: stderr.String(), Code: code}
}
