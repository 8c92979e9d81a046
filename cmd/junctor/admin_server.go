package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	s, err := adminsocket.Listen(path,
		adminsocket.Options{Version: version(), Grace: taskGrace, Log: log}, a.execute)
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
func (a *app) execute(ctx context.Context, task *adminsocket.Task) (code int) {
	log := a.log.With()
	if len(task.Args) > 0 {
		log = log.Str("source", task.Args[0])
	}
	if task.User != "" {
		log = log.Str("os_user", task.User)
	}
	stdout := bufio.NewWriter(task.Stdout) // tables are written in small pieces
	c := &cli{
		getenv: func(string) string { return "" }, stdin: task.Stdin, stdout: stdout,
		stderr: flushFirst{stdout, task.Stderr}, terminal: task.Terminal, input: task.Input, app: a,
		peer: task.User,
	}
	code = c.run(log.Logger().WithContext(ctx), task.Args)
	if err := stdout.Flush(); err != nil { // the sender is gone
		return 1
	}
	return code
}

// flushFirst is a standard error that keeps its place behind what is on the standard output already.
type flushFirst struct {
	stdout *bufio.Writer
	stderr io.Writer
}

func (w flushFirst) Write(p []byte) (int, error) {
	_ = w.stdout.Flush() // its error comes again
	return w.stderr.Write(p)
}

// forward has the server that listens on a socket do a task.
func (c *cli) forward(ctx context.Context, socket string, t storeTask, args []string) error {
	streams := adminsocket.Streams{Stdout: c.stdout, Stderr: c.stderr}
	if t.in != nil {
		streams.Stdin = c.stdin
	}
	code, err := adminsocket.Call(ctx, socket, version(),
		adminsocket.Request{Args: args, Input: c.input, Terminal: c.terminal}, streams)
	if err != nil {
		return err
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}
