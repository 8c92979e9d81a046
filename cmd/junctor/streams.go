package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"
)

// openInput opens a file to read it whole; "-" is the standard input.
func (c *cli) openInput(name string) (io.ReadCloser, error) {
	if name != "-" {
		return os.Open(name)
	}
	if file, ok := c.stdin.(*os.File); ok { // whose size may be known
		return file, nil
	}
	return io.NopCloser(c.stdin), nil
}

// stoppable is a stream between a command and its operator, which the end of ctx interrupts: a Read that waits for input,
// and a Write whose reader has stopped reading.
type stoppable struct {
	ctx  context.Context
	from io.Reader
	to   io.Writer
}

func (s stoppable) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	part := make([]byte, len(p)) // the read may go on
	n, err := interruptible(s.ctx, func() (int, error) { return s.from.Read(part) })
	return copy(p, part[:n]), err
}

func (s stoppable) Write(p []byte) (int, error) {
	part := bytes.Clone(p) // the write may go on
	return interruptible(s.ctx, func() (int, error) { return s.to.Write(part) })
}

// lastTime is how long a call of a stream may take once a command is stopped: what the command has done is still printed.
const lastTime = time.Second / 2

// interruptible calls do, which may wait for an operator or for another program, and returns what that returns or, soon
// after ctx has ended, the cause. do may then still be under way.
func interruptible[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		value, err := do()
		ended <- result{value, err}
	}()
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-ended:
		return r.value, r.err
	case <-time.After(lastTime):
		return *new(T), context.Cause(ctx)
	}
}
