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

// The socket lets a server do what subcommands are to do on its store: an embedded one nobody else can open, and what
// is written to a CouchDB it tells the broker and the billing hook. A connection carries one request and one answer,
// each a line of JSON.

// socketRequest is what a subcommand sends: its arguments, complete, without the environment's help, and the secret
// that goes with them.
type socketRequest struct {
	Args   []string `json:"args"`
	Secret string   `json:"secret,omitempty"`
}

// socketAnswer is what the subcommand came to in the server.
type socketAnswer struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Code   int    `json:"code"`
}

const (
	maxVisits      = 64 // at once
	acceptPause    = 10 * time.Millisecond
	maxAcceptPause = time.Second
	requestBytes   = 4 << 20                 // two and more of what a task reads, as quotes are escaped
	requestTime    = 5 * time.Second         // to send a request
	taskTime       = 15 * time.Minute        // to do what it asks for: a pass over the accounts of a Kazoo takes minutes
	closingTime    = drainTime - time.Second // the same, once the server is told to stop
)

// desk serves the socket.
type desk struct {
	listener net.Listener
	at       *workplace
	log      zerolog.Logger
	ctx      context.Context // ends when the desk is closed
	visits   sync.WaitGroup
}

// openSocket opens the socket of this server's store; home is as openHome answers it. A server of a CouchDB serves
// without one as well.
func (c *serveConfig) openSocket(home string, w *workplace, log zerolog.Logger) (closeSocket func(), err error) {
	path := c.socket(home)
	if path == "" {
		return c.withoutSocket(fmt.Errorf("the socket: %w", errNoState), log)
	}
	if !store.IsCouchDB(c.dsn) {
		closeSocket, err := openDesk(path, w, log)
		if statefile.IsFull(err) {
			return c.withoutSocket(err, log)
		}
		return closeSocket, err
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return c.withoutSocket(err, log)
	}
	if err := statefile.CheckFolder(folder); err != nil {
		return nil, err
	}
	if closeSocket, err = openDesk(path, w, log); err != nil {
		return c.withoutSocket(err, log)
	}
	return closeSocket, nil
}

// withoutSocket lets a server serve without a socket.
func (c *serveConfig) withoutSocket(cause error, log zerolog.Logger) (closeSocket func(), err error) {
	log.Warn().Err(cause).Msg("subcommands don't come to this server")
	return func() {}, nil
}

// openDesk opens a socket. Its owner alone may use it. Closing waits for tasks under way.
func openDesk(path string, w *workplace, log zerolog.Logger) (closeDesk func(), err error) {
	listener, remove, err := listenAt(path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &desk{listener: listener, at: w, log: log, ctx: ctx}
	d.visits.Go(d.accept)
	return func() {
		remove()
		cancel()
		_ = listener.Close()
		d.visits.Wait()
	}, nil
}

func (d *desk) accept() {
	places := make(chan struct{}, maxVisits)
	pause := backoff.New(acceptPause, maxAcceptPause)
	for {
		conn, err := d.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // as when no descriptors are left; it passes
			d.log.Warn().Err(err).Msg("the socket for subcommands can't accept")
			if pause.Wait(d.ctx) != nil {
				return
			}
			continue
		}
		pause.Reset()
		select {
		case places <- struct{}{}:
		case <-d.ctx.Done():
			_ = conn.Close()
			return
		}
		d.visits.Go(func() {
			d.visit(conn)
			<-places
		})
	}
}

// visit serves one connection. A task that has begun is finished even while the desk is closing.
func (d *desk) visit(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), taskTime)
	defer cancel()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	stop := context.AfterFunc(d.ctx, func() {
		_ = conn.SetReadDeadline(time.Now())
		time.AfterFunc(closingTime, cancel)
	})
	defer stop()
	var request socketRequest
	if err := json.NewDecoder(io.LimitReader(conn, requestBytes)).Decode(&request); err != nil {
		return
	}
	log := d.logging(conn, request)
	answer := d.answer(log.WithContext(ctx), request)
	_ = conn.SetWriteDeadline(time.Now().Add(requestTime))
	_ = json.NewEncoder(conn).Encode(answer)
}

// logging returns the logger of a task, whose lines name the subcommand and the user of the operating system.
func (d *desk) logging(conn net.Conn, request socketRequest) zerolog.Logger {
	log := d.log.With().Str("source", first(request.Args))
	if user := peerUser(conn); user != "" {
		log = log.Str("os_user", user)
	}
	return log.Logger()
}

// answer does what a subcommand asks for. It takes nothing but tasks: there is no serving inside a server.
func (d *desk) answer(ctx context.Context, request socketRequest) socketAnswer {
	var stdout, stderr bytes.Buffer
	p := &process{
		getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		secret: request.Secret, at: d.at,
	}
	code, name := 2, first(request.Args)
	if c, ok := find(name); ok && c.task != nil {
		code = p.run(ctx, request.Args)
	} else {
		fmt.Fprintf(&stderr, "junctor: no subcommand %q works on a store\n", name)
	}
	return socketAnswer{Stdout: stdout.String(), Stderr: stderr.String(), Code: code}
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
