// Command junctor serves Kazoo's dedicated IPs and routing clusters over Crossbar's API, and has the commands that its
// operator needs beside that.
//
// main sets the process up and calls run. Each command has a file. A command that works on a store runs in the server
// that has the store open, if there is one, and in its own process otherwise. The rules are in other packages: this one
// turns flags, environment and signals into arguments, and opens and closes things in the right order.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/rs/zerolog"
)

// logTime is RFC 3339 with milliseconds: requests take less than a second.
const logTime = "2006-01-02T15:04:05.000Z07:00"

// zerolog has one time format for all loggers of a process.
func init() { zerolog.TimeFieldFormat = logTime }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args, os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. args begins with the name it was started under. It returns the exit code.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) int {
	name, args := filepath.Base(args[0]), args[1:]
	if name == "sup" { // a link, for operators who are used to Kazoo's command
		args = append([]string{name}, args...)
	}
	c := &cli{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr,
		terminal: findTerminal(stdout, stderr)}
	return c.run(ctx, args)
}
