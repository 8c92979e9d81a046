package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"junctor/pkg/adminsocket"
)

// defineJSON defines --json.
func (c *cli) defineJSON(flags *pflag.FlagSet) {
	flags.BoolVar(&c.asJSON, "json", false, "print one line of JSON")
}

// print prints a result: value as a line of JSON with --json, else a table of rows. On a terminal that is too narrow the
// cells of the flexible columns are cut.
func (c *cli) print(value any, rows [][]string, flexible ...int) error {
	if c.asJSON {
		return json.NewEncoder(c.stdout).Encode(value)
	}
	t := c.newTable(flexible...)
	for _, row := range rows {
		if err := t.add(row...); err != nil {
			return err
		}
	}
	return t.flush()
}

// printRemoved prints what a command has removed.
func (c *cli) printRemoved(id string) error {
	return c.print(map[string]string{"removed": id}, [][]string{{"removed", id}})
}

// listing prints a list of any length: with --json as a line of JSON, else as a table.
type listing struct {
	table *table
	json  io.Writer // nil without --json
	any   bool
}

// newListing begins a list. header is the first row of the table.
func (c *cli) newListing(header []string, flexible ...int) *listing {
	l := &listing{table: c.newTable(flexible...)}
	if c.asJSON {
		l.json = c.stdout
	} else {
		l.table.rows = append(l.table.rows, header)
	}
	return l
}

// add prints an element, which row is in the table.
func (l *listing) add(value any, row ...string) error {
	if l.json == nil {
		return l.table.add(row...)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	separator := "["
	if l.any {
		separator = ","
	}
	l.any = true
	_, err = io.WriteString(l.json, separator+string(text))
	return err
}

// end ends the list, unless err says why it is not complete.
func (l *listing) end(err error) error {
	switch {
	case err != nil:
		return err
	case l.json == nil:
		return l.table.flush()
	case l.any:
		_, err = io.WriteString(l.json, "]\n")
	default:
		_, err = io.WriteString(l.json, "[]\n")
	}
	return err
}

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

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// say tells the operator something beside the result.
func (c *cli) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, format+"\n", args...)
}
