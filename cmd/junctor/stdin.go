package main

import (
	"context"
	"io"
	"os"
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

// stoppableReader returns a reader of what is in r, whose Read ends when ctx does: nothing else interrupts one from a
// terminal or a pipe. A Read of r may then still be under way.
func stoppableReader(ctx context.Context, r io.Reader) io.ReadCloser {
	reader, writer := io.Pipe()
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.Copy(writer, r)
		_ = writer.CloseWithError(err)
	}()
	return reader
}

// interruptible calls read, which may wait for an operator or for another program, and returns what that returns or,
// when ctx ends, the cause. read may then still be under way.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		value, err := read()
		ended <- result{value, err}
	}()
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), context.Cause(ctx)
	}
}
