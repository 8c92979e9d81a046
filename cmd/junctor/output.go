package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
)

// defineJSON defines --json.
func (c *cli) defineJSON(flags *pflag.FlagSet) {
	flags.BoolVar(&c.asJSON, "json", false, "print one line of JSON")
}

// print prints a result: value as a line of JSON with --json, else a table of rows.
func (c *cli) print(value any, rows [][]string) error {
	if c.asJSON {
		return json.NewEncoder(c.stdout).Encode(value)
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// fold breaks a text at its spaces into lines of at most width bytes. A word that is longer has a line of its own.
func fold(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
