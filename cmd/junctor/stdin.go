package main

import (
	"bufio"
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

// stoppableReader returns a reader whose Read ends when ctx does: nothing else interrupts one from a terminal or a pipe. A
// Read of r may then still be under way.
func stoppableReader(ctx context.Context, r io.Reader) io.Reader {
	return bufio.NewReaderSize(&stoppable{ctx: ctx, r: r}, readSize)
}

const readSize = 64 << 10

type stoppable struct {
	ctx context.Context
	r   io.Reader
}

// Read reads in a goroutine of its own, into a buffer of its own.
func (s *stoppable) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		buf := make([]byte, len(p))
		n, err := s.r.Read(buf)
		read <- result{buf[:n], err}
	}()
	select {
	case got := <-read:
		return copy(p, got.text), got.err
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}
