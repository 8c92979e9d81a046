// Command junctor-bench measures junctor beside what the same work costs without it, and prints a table for each store.
//
// Reads stand beside a bare gorilla/mux handler that serves the same bytes and, on CouchDB, beside the same endpoints
// written the simplest way; writes beside bbolt or CouchDB with no more than the necessary writes. HTTP servers are
// processes of their own. What is in a table is measured in turns, round after round, so that what disturbs the machine
// disturbs all alike: ratios mean something, rates hardly.
//
// The program knows junctor by its command line, its API and its store. It fails if anything cannot be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"junctor/pkg/store/storetest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "junctor-bench:", err)
		stop()
		os.Exit(1)
	}
}

// run is the whole program. With the name of a baseline as its argument it is that server.
func run(ctx context.Context, args []string) error {
	if len(args) == 1 && baselines[args[0]] != nil {
		return serveBaseline(ctx, baselines[args[0]], os.Stdin, os.Stdout)
	}
	b, err := parse(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.run(ctx)
}

// couchVariable names the CouchDB to measure, as for the tests: http://user:password@host:port.
const couchVariable = "JUNCTOR_TEST_COUCHDB"

// How many requests are under way at once.
const (
	readers = 16
	writers = 64
)

// The bounds of a size: enough addresses for all writers and a page of available ones, and as many as 10.0.0.0/8 has.
const (
	fewest = 300
	most   = 1 << 24
)

// bench is what is to be measured, and how.
type bench struct {
	program           string // junctor
	sizes, couchSizes sizes
	couch             string // its URL; empty is none
	rounds            int
	turn, timeout     time.Duration
	logFile           string

	folder string // for everything; removed in the end
	log    *os.File
	out    io.Writer
	http   client
}

func parse(args []string) (*bench, error) {
	b := &bench{couch: os.Getenv(couchVariable), out: os.Stdout, http: newClient()}
	flags := flag.NewFlagSet("junctor-bench", flag.ContinueOnError)
	flags.StringVar(&b.program, "junctor", "bin/junctor", "the program to measure")
	flags.Var(&b.sizes, "sizes", "numbers of addresses in an embedded store, with commas")
	flags.Var(&b.couchSizes, "couchdb-sizes", "the same in the CouchDB of "+couchVariable)
	flags.IntVar(&b.rounds, "rounds", 5, "number of rounds; figures are their medians")
	flags.DurationVar(&b.turn, "turn", time.Second, "how long an operation is measured in a round")
	flags.DurationVar(&b.timeout, "timeout", time.Hour, "when to give up")
	flags.StringVar(&b.logFile, "log", os.DevNull, "file to add the log of junctor to")
	err := flags.Parse(args)
	if err == nil && (flags.NArg() > 0 || b.rounds < 1 || b.turn <= 0) {
		err = errors.New("give flags only, at least one round, and a turn that takes time")
	}
	return b, err
}

// sizes are numbers of addresses.
type sizes []int

func (s *sizes) String() string { return "" }

func (s *sizes) Set(text string) error {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' }) {
		size, err := strconv.Atoi(part)
		if err != nil || size < fewest || size > most {
			return fmt.Errorf("not a number from %d to %d", fewest, most)
		}
		*s = append(*s, size)
	}
	return nil
}

// run measures a pool, and then routing, of each size. Both have a server of their own.
func (b *bench) run(ctx context.Context) (err error) {
	if b.folder, err = os.MkdirTemp("", "junctor-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	if b.log, err = os.OpenFile(b.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	defer b.log.Close()
	for _, size := range b.sizes {
		if err := errors.Join(b.pool(ctx, size, ""), b.routing(ctx, size, "")); err != nil {
			return err
		}
	}
	if b.couch == "" {
		return nil
	}
	for _, size := range b.couchSizes {
		for _, measure := range []func(context.Context, int, string) error{b.pool, b.routing} {
			if err := storetest.Claim(b.couch); err != nil { // which empties it
				return err
			}
			if err := errors.Join(measure(ctx, size, b.couch), storetest.Wipe(b.couch)); err != nil {
				return err
			}
		}
	}
	return nil
}
