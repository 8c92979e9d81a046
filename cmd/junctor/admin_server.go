package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/adminsocket"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
)

// Through the admin socket a server executes the tasks of other commands on its store: nobody else can open an embedded
// store, and what a server writes to a CouchDB it also reports to the broker and the billing hook.

// taskGrace is how long tasks may go on once the server is stopping.
const taskGrace = drainTime - time.Second

// openSocket opens the admin socket of the store. home is the folder that openHome returned. Where no socket can be
// made, a CouchDB is served without one, and so is an embedded store on a full disk.
func (f *serveFlags) openSocket(home string, a *app, log zerolog.Logger) (closeSocket func(), err error) {
	path := f.socket(home)
	if path == "" {
		return withoutSocket(fmt.Errorf("the socket: %w", errNoState), log)
	}
	folder := filepath.Dir(path)
	if store.IsCouchDB(f.dsn) {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return withoutSocket(err, log)
		}
		if err := statefile.CheckFolder(folder); err != nil {
			return nil, err
		}
	}
	s, err := adminsocket.Listen(path, taskGrace, log, a.execute)
	if err == nil {
		return s.Close, nil
	}
	if store.IsCouchDB(f.dsn) || statefile.IsFull(err) {
		return withoutSocket(err, log)
	}
	return nil, err
}

func withoutSocket(cause error, log zerolog.Logger) (closeSocket func(), err error) {
	log.Warn().Err(cause).Msg("there is no admin socket: other commands can't use this server")
	return func() {}, nil
}

// execute runs a command on the store of a server.
func (a *app) execute(ctx context.Context, user string, request adminsocket.Request) adminsocket.Response {
	log := a.log.With()
	if len(request.Args) > 0 {
		log = log.Str("source", request.Args[0])
	}
	if user != "" {
		log = log.Str("os_user", user)
	}
	var stdout, stderr bytes.Buffer
	c := &cli{
		getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		input: request.Input, app: a,
	}
	code := c.run(log.Logger().WithContext(ctx), request.Args)
	return adminsocket.Response{Stdout: stdout.String(), Stderr: stderr.String(), Code: code}
}

// forward sends a task to the server that listens on a socket, and prints what that returns.
func (c *cli) forward(ctx context.Context, socket string, request adminsocket.Request) error {
	response, err := adminsocket.Call(ctx, socket, request)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprint(c.stdout, response.Stdout)
	_, _ = fmt.Fprint(c.stderr, response.Stderr)
	if response.Code != 0 {
		return exitCode(response.Code)
	}
	return nil
}
