package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// couchVariable names the CouchDB to measure on, as it does for the tests: http://user:password@host:port. It has to
// be an empty one.
const couchVariable = "JUNCTOR_TEST_COUCHDB"

// How many requests are under way at once.
const (
	readers = 16
	writers = 64
)

// fewest is the least number of addresses: enough for all writers, and for a full page of available ones.
const fewest = 300

// settings is how to measure.
type settings struct {
	program string // junctor
	sizes   []int  // numbers of addresses, from few to many
	rounds  int
	turn    time.Duration // how long one thing is measured in one round
	timeout time.Duration // of everything
	log     string        // where the servers write their logs to; empty is nowhere
	couchdb string        // empty is none
	smoke   bool          // it is enough that there are figures
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (settings, error) {
	s := settings{couchdb: getenv(couchVariable), sizes: []int{1_000, 100_000}}
	fs := flag.NewFlagSet("junctor-bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&s.program, "junctor", "bin/junctor", "the program to measure")
	fs.Func("sizes", "comma-separated numbers of addresses (default 1000,100000)", s.setSizes)
	fs.IntVar(&s.rounds, "rounds", 5, "how often everything has its turn; figures are medians")
	fs.DurationVar(&s.turn, "turn", time.Second, "how long a turn is")
	fs.DurationVar(&s.timeout, "timeout", 2*time.Hour, "after which to give up")
	fs.StringVar(&s.log, "log", "", "file that the servers' logs are added to (default none: made, and not kept)")
	fs.BoolVar(&s.smoke, "smoke", false, "see that everything can be measured, in one short round on a tiny pool")
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	if s.smoke {
		s.sizes, s.rounds, s.turn, s.timeout = []int{fewest, 2 * fewest}, 1, 100*time.Millisecond, 2*time.Minute
	}
	switch {
	case fs.NArg() > 0:
		return s, fmt.Errorf("unexpected %q", fs.Arg(0))
	case s.rounds < 1 || s.turn <= 0:
		return s, errors.New("there has to be a round, and a turn has to take time")
	}
	return s, nil
}

func (s *settings) setSizes(text string) error {
	s.sizes = nil
	for part := range strings.SplitSeq(text, ",") {
		size, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || size < fewest || size > most {
			return fmt.Errorf("not numbers from %d to %d", fewest, most)
		}
		s.sizes = append(s.sizes, size)
	}
	slices.Sort(s.sizes)
	s.sizes = slices.Compact(s.sizes)
	return nil
}
