package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The socket lets subcommands work on an embedded store that a server has open. A connection carries one request
// and one answer, each a line of JSON.

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
	requestBytes = 4 << 20          // two and more of what a task reads, as quotes are escaped
	requestTime  = 5 * time.Second  // to send a request
	taskTime     = 30 * time.Second // to do what it asks for
)

// desk serves the socket.
type desk struct {
	listener net.Listener
	at       *workplace
	ctx      context.Context // ends when the desk is closed
	visits   sync.WaitGroup
}

// openSocket opens the socket in the folder home. Its owner alone may use it. Closing waits for tasks under way.
func openSocket(home string, w *workplace) (closeSocket func(), err error) {
	listener, remove, err := listenIn(home)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &desk{listener: listener, at: w, ctx: ctx}
	d.visits.Go(d.accept)
	return func() {
		cancel()
		_ = listener.Close()
		remove()
		d.visits.Wait()
	}, nil
}

func (d *desk) accept() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.visits.Go(func() { d.visit(conn) })
	}
}

// visit serves one connection. A task that has begun is finished even while the desk is closing.
func (d *desk) visit(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	stop := context.AfterFunc(d.ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()
	var request socketRequest
	if err := json.NewDecoder(io.LimitReader(conn, requestBytes)).Decode(&request); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), taskTime)
	defer cancel()
	answer := d.answer(ctx, request)
	_ = conn.SetWriteDeadline(time.Now().Add(requestTime))
	_ = json.NewEncoder(conn).Encode(answer)
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

// socketFile is where the socket is found, or a link to it.
func socketFile(home string) string { return filepath.Join(home, "junctor.sock") }

// maxSocketPath is what the systems we run on take at least (sun_path).
const maxSocketPath = 103

// listenIn listens on the socket of a folder. Whether another server lives there was settled by the lock on the
// store; a socket that nobody answers on is left over from one that was killed. Where the path is too long for a
// socket, a link stands there, and the socket itself in a temporary folder.
func listenIn(home string) (listener net.Listener, remove func(), err error) {
	path := socketFile(home)
	if conn, err := dial(context.Background(), home); err == nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("%s is in use by another junctor", path)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, nil, err
	}
	remove = func() { _ = os.Remove(path) }
	if len(path) <= maxSocketPath {
		listener, err = listenUnix(path)
		return listener, remove, err
	}
	folder, err := os.MkdirTemp("", "junctor-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _, _ = os.Remove(path), os.RemoveAll(folder) }
	if err := os.Symlink(socketFile(folder), path); err != nil {
		return nil, nil, err
	}
	listener, err = listenUnix(socketFile(folder))
	return listener, remove, err
}

func listenUnix(path string) (net.Listener, error) {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return listener, os.Chmod(path, 0o600)
}
