// Package adminsocket lets other processes of the same user run commands in a server, through a Unix socket.
//
// A command is an HTTP request: its body is a Request and then the standard input, and the response is a list of frames
// with what the command writes and, last, its exit code. Another request cancels it. Each side notices when the other one
// goes away. Nothing is held in memory but the part that is being sent, so neither the data nor the time of a command is
// bounded, only how long nothing moves.
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
	Args     []string
	Input    string // what was read for the command before it began, as a password
	Terminal Terminal
}

// Terminal describes what the sender's output goes to.
type Terminal struct {
	Columns     int  // of the standard output; 0 if it is no terminal
	Interactive bool // whether the standard error is a terminal
}

// Streams are the sender's ends of what a command reads and writes.
type Streams struct {
	// Stdin is read whether the command reads it or not. It may be nil. A Read may still be under way when Call returns.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Task is a command in the server.
type Task struct {
	Request
	User           string // the sender's name; empty if the system does not report it
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Handler runs a command and returns its exit code. ctx ends when the sender cancels the command or goes away, and some
// time after Close; context.Cause says which. A Write fails once the sender is gone.
type Handler func(ctx context.Context, task *Task) (code int)

// ErrNoServer says that no server listens on a socket.
var ErrNoServer = errors.New("no server has the store open")

// Causes of the end of a command's context.
var (
	ErrCancelled = errors.New("it was interrupted")
	ErrGone      = errors.New("the process that wanted it has ended")
	ErrStopping  = errors.New("the server is stopping")
)

const (
	maxTasks     = 64               // at once
	maxPart      = 64 << 10         // of the output, in bytes
	greetingTime = 5 * time.Second  // until a command is accepted
	stallTime    = 15 * time.Minute // for one part of the output, as when a pager reads it
	lastTime     = time.Second / 2  // the same once the command is cancelled
	cancelTime   = 15 * time.Second // for a cancelled command to end
)

// call is what comes before the standard input in the body of a request.
type call struct {
	Version string // of the sender's program
	Request Request
}

// frame is a part of a response. The first one has the version of the server's program, and nothing else. The two programs
// must be of the same version: the server parses the sender's arguments, and would refuse a flag that it does not know as a
// mistake of the operator.
type frame struct {
	Version        string
	Stdout, Stderr []byte
	Ended          bool // in the last frame
	Code           int  // the exit code, if Ended
}
