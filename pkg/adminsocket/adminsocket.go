// Package adminsocket lets other processes of the same user run commands in a server, through a Unix socket.
//
// A connection carries one command: its arguments, its standard input, its standard output and standard error, a third
// output for the content of a file, and its exit code. Each side notices when the other one goes away. Nothing is held
// in memory but the part that is being sent, so neither the data nor the time of a command is bounded, only how long
// nothing moves.
//
// The package refuses other users, and bounds the number of commands. It does not know what the commands are.
package adminsocket

import (
	"context"
	"errors"
	"io"
	"time"
)

// Request describes a command.
type Request struct {
	Args     []string `json:"args"`
	Input    string   `json:"input,omitempty"` // what was read for the command before it began, as a password
	Terminal Terminal `json:"terminal"`
}

// Terminal describes what the sender's output goes to.
type Terminal struct {
	Columns     int  `json:"columns,omitempty"`     // of the standard output; 0 if it is no terminal
	Interactive bool `json:"interactive,omitempty"` // whether the standard error is a terminal
}

// Streams are the sender's ends of what a command reads and writes.
type Streams struct {
	// Stdin is read only as far as the command reads. A Read may still be under way when Call returns.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	File           io.Writer // the content of a file, apart from the text on the standard output
}

// Task is a command in the server.
type Task struct {
	Request
	User           string // the sender's name; empty if the system does not report it
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	File           io.Writer
}

// Handler runs a command and returns its exit code, from 0 to 255. ctx ends when the sender cancels the command or goes
// away, and some time after Close; context.Cause says which. A Write fails once the sender is gone.
type Handler func(ctx context.Context, task *Task) (code int)

// ErrNoServer says that no server listens on a socket.
var ErrNoServer = errors.New("no server has the store open")

// Causes of the end of a command's context.
var (
	ErrCancelled = errors.New("it was interrupted")
	ErrGone      = errors.New("the process that wanted it has ended")
	ErrStopping  = errors.New("the server is stopping")
)

// MaxRequest bounds a Request, in bytes of JSON.
const MaxRequest = 4 << 20

const (
	maxTasks       = 64 // at once
	acceptPause    = 10 * time.Millisecond
	maxAcceptPause = time.Second
	greetingTime   = 5 * time.Second  // until a connection carries a command
	stallTime      = 15 * time.Minute // for one part of the output, as when a pager reads it
	cancelTime     = 15 * time.Second // for a cancelled command to end
)
