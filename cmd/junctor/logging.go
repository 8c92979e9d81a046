package main

import (
	"io"
	"os"

	"github.com/rs/zerolog"
)

// newLogger returns a logger that writes to out in a format: "json", "text", or "auto", which is text on a terminal.
func newLogger(out io.Writer, format string) zerolog.Logger {
	if format == "text" || format == "auto" && isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: logTime, NoColor: !isTerminal(out) || os.Getenv("NO_COLOR") != ""}
	}
	return zerolog.New(out).With().Timestamp().Logger()
}

// setLevel sets the lowest level that is logged, by a name that --log-level accepts. It counts for all loggers of the
// process, also for those that are in use.
func setLevel(name string) {
	level, _ := zerolog.ParseLevel(name)
	zerolog.SetGlobalLevel(level)
}
