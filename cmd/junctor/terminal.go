package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"junctor/pkg/adminsocket"
)

// findTerminal returns what the outputs of this process are.
func findTerminal(stdout, stderr io.Writer) (t adminsocket.Terminal) {
	if file, ok := stdout.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil {
			t.Columns = columns
		}
	}
	t.Interactive = isTerminal(stderr)
	return t
}
