// Package progress shows how far a command has come: on a terminal in a line that changes, and elsewhere in at most one
// line a second, so that a log or a pipe stays readable.
//
// It does not know what the command does.
package progress

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	terminalEvery = 100 * time.Millisecond
	lineEvery     = time.Second
	width         = 79 // of the line on a terminal, in characters
	barWidth      = 20
)

// Printer shows the progress of one command. It is not safe for concurrent use.
type Printer struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	last     time.Time // when something was shown, or the beginning
	shown    bool      // there is a line on the terminal
}

// New returns a Printer to w. terminal reports whether w is a terminal.
func New(w io.Writer, terminal bool) *Printer {
	p := &Printer{w: w, terminal: terminal, every: lineEvery, last: time.Now()}
	if terminal {
		p.every = terminalEvery
	}
	return p
}

// Show shows that done of total is done, and a text, unless it has just shown something. A total of 0 is unknown.
func (p *Printer) Show(done, total int64, text string) {
	now := time.Now()
	if now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	percent := int64(-1)
	if total > 0 {
		percent = min(done*100/total, 100)
	}
	if !p.terminal {
		if percent >= 0 {
			text = fmt.Sprintf("%d%% %s", percent, text)
		}
		_, _ = fmt.Fprintln(p.w, text)
		return
	}
	if percent >= 0 {
		full := int(percent) * barWidth / 100
		text = fmt.Sprintf("[%s%s] %3d%% %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), percent, text)
	}
	p.shown = true
	_, _ = fmt.Fprint(p.w, "\r\x1b[K"+cut(text))
}

// End removes the line on a terminal, so that what follows begins a new one.
func (p *Printer) End() {
	if p.shown {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}

// cut shortens a text to one line.
func cut(text string) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}
