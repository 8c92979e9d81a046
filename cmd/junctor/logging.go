package main

import (
	"io"
	"os"
	"sync/atomic"

	"github.com/rs/zerolog"
)

// logWriter writes log lines of a level that can change while loggers use it.
type logWriter struct {
	zerolog.LevelWriter
	lowest atomic.Int32 // a zerolog.Level
}

// newLogger returns a logger that writes to out in a format: "json", "text", or "auto", which is text on a terminal.
func newLogger(out io.Writer, format string, lowest zerolog.Level) (zerolog.Logger, *logWriter) {
	if format == "text" || format == "auto" && isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: logTime, NoColor: !isTerminal(out) || os.Getenv("NO_COLOR") != ""}
	}
	w := &logWriter{LevelWriter: zerolog.LevelWriterAdapter{Writer: out}}
	w.setLevel(lowest)
	return zerolog.New(w).With().Timestamp().Logger(), w
}

// parseLevel returns a level by a name that --log-level accepts.
func parseLevel(name string) zerolog.Level {
	level, _ := zerolog.ParseLevel(name)
	return level
}

func (w *logWriter) setLevel(lowest zerolog.Level) { w.lowest.Store(int32(lowest)) }

// WriteLevel implements zerolog.LevelWriter.
func (w *logWriter) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	if level < zerolog.Level(w.lowest.Load()) {
		return len(line), nil
	}
	return w.LevelWriter.WriteLevel(level, line)
}
