// Command junctor-bench measures junctor beside what the same work costs without it, and prints one table.
//
// What is measured is the real program, serving stores that the product's own packages have filled. Beside it stand
// a bare gorilla/mux handler that answers the same bytes, bare bbolt and bare CouchDB that do no more than the
// necessary writes, and the same server with fewer addresses. All of them are processes of their own and take turns,
// round after round, reads first and then writes, so that whatever disturbs the machine disturbs all alike: ratios
// mean something here, rates hardly.
//
// It knows junctor by its command line, its API and its store. What the figures should be is in the table; that they
// are there at all is all it insists on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(os.Stderr, "junctor-bench:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run is the whole program. Started with the name of a baseline it is that baseline, for the process that started it.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) error {
	if len(args) == 1 && baselines[args[0]] != nil {
		return baselines[args[0]](ctx, newCoordinator(stdin, stdout))
	}
	s, err := parse(args, getenv, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return measure(ctx, s, stdout, stderr)
}

// measure measures everything, the embedded store first, and prints the table.
func measure(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "junctor-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	b, err := newBench(s, folder, stderr)
	if err != nil {
		return err
	}
	defer b.serverLog.Close()
	lines, err := b.embedded(ctx)
	if err != nil {
		return err
	}
	var couchErr error // what it does not tell must not cost what is known
	if s.couchdb != "" {
		var more []line
		more, couchErr = b.onCouchDB(ctx)
		lines = append(lines, more...)
	}
	header, err := b.header(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(stdout, header, "\n", format(lines))
	return errors.Join(err, couchErr)
}
