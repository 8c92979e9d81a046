// Command junctor serves Kazoo's dedicated IPs over Crossbar's API, and holds what its operator needs beside that.
//
// main sets the process up and calls run; a file for each subcommand says what it does. A subcommand that works on
// a store does so in the server that has the store open, where there is one, and in its own process otherwise.
// Which rules hold is other packages' business: this one opens and closes things in the right order, and turns
// flags, environment and signals into arguments.
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

// logTime is RFC 3339 with milliseconds.
const logTime = "2006-01-02T15:04:05.000Z07:00"

// zerolog has one format for all loggers of a process.
func init() { zerolog.TimeFieldFormat = logTime }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args, os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: args begins with the name it was started under. It answers the exit code.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) int {
	name, args := filepath.Base(args[0]), args[1:]
	if name == "sup" { // a link: Kazoo's operators have this command in their fingers
		args = append([]string{name}, args...)
	}
	p := &process{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	return p.run(ctx, args)
}
