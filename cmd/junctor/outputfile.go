package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"junctor/pkg/statefile"
)

// outputFile is a file that a command writes, with its check sum. It appears complete or not at all, and replaces a file
// of that name then. "-" is the standard output.
type outputFile struct {
	Name  string `json:"file"`
	Bytes int64  `json:"bytes"`
	Sum   string `json:"sha256"`

	to    io.Writer
	sum   hash.Hash
	draft *statefile.Draft // nil for the standard output
}

// intoFile has do write a file as c.stdout, and reports what was written.
func (c *cli) intoFile(name string, do func() error) error {
	output, err := c.createOutput(name)
	if err != nil {
		return err
	}
	reporting := *c
	if name == "-" {
		reporting.stdout = c.stderr
	}
	c.stdout = output
	if err := output.end(do()); err != nil {
		return err
	}
	return reporting.print(output, [][]string{
		{"file", output.Name}, {"bytes", fmt.Sprint(output.Bytes)}, {"sha256", output.Sum},
	})
}

// createOutput begins an output file. It has what its owner only may read.
func (c *cli) createOutput(name string) (*outputFile, error) {
	f := &outputFile{Name: name, to: c.stdout, sum: sha256.New()}
	if name == "-" {
		if c.terminal.Columns > 0 {
			return nil, usageError("the standard output is a terminal: name a file, or redirect it")
		}
		return f, nil
	}
	switch info, err := os.Stat(name); {
	case c.store.owns(name):
		return nil, usageError(name + " is a file of the store itself: name another one")
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, usageError(name + " is not a regular file; \"-\" is the standard output")
	}
	draft, err := statefile.NewDraft(name, 0o600)
	f.to, f.draft = draft, draft
	return f, err
}

// Write writes the next part of the file.
func (f *outputFile) Write(p []byte) (int, error) {
	n, err := f.to.Write(p)
	f.Bytes += int64(n)
	_, _ = f.sum.Write(p[:n])
	return n, err
}

// end ends the file if it was written without an error, and removes it otherwise.
func (f *outputFile) end(err error) error {
	f.Sum = fmt.Sprintf("%x", f.sum.Sum(nil))
	switch {
	case f.draft == nil:
		return err
	case err != nil:
		return errors.Join(err, f.draft.Discard())
	}
	return f.draft.Publish()
}
