package main

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"
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
func (c *cli) newListing(header []string, flexible ...int) (*listing, error) {
	l := &listing{table: c.newTable(flexible...)}
	if c.asJSON {
		l.json = c.stdout
		_, err := io.WriteString(c.stdout, "[")
		return l, err
	}
	return l, l.table.add(header...)
}

// add prints an element, which row is in the table.
func (l *listing) add(value any, row ...string) error {
	if l.json == nil {
		return l.table.add(row...)
	}
	text, err := json.Marshal(value)
	if err == nil && l.any {
		text = append([]byte(","), text...)
	}
	l.any = true
	if err == nil {
		_, err = l.json.Write(text)
	}
	return err
}

// end ends the list.
func (l *listing) end() error {
	if l.json == nil {
		return l.table.flush()
	}
	_, err := io.WriteString(l.json, "]\n")
	return err
}

// table prints rows as columns. It holds a number of rows to align them; columns become wider in later ones if need be.
type table struct {
	w        io.Writer
	columns  int   // of the terminal; 0 if there is none
	flexible []int // the columns that may be cut
	widths   []int
	rows     [][]string
}

const (
	rowsAtOnce  = 1000
	columnSpace = 2
	leastColumn = 8 // to which a flexible column may be cut
)

func (c *cli) newTable(flexible ...int) *table {
	return &table{w: c.stdout, columns: c.terminal.Columns, flexible: flexible}
}

func (t *table) add(row ...string) error {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = visible(cell)
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) < rowsAtOnce {
		return nil
	}
	return t.flush()
}

// flush prints the rows held.
func (t *table) flush() error {
	t.cut()
	for _, row := range t.rows {
		for i, cell := range row[:max(len(row)-1, 0)] { // the last cell of a row is not padded
			for len(t.widths) <= i {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text, line strings.Builder
	for _, row := range t.rows {
		line.Reset()
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell)+columnSpace))
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	t.rows = t.rows[:0]
	_, err := io.WriteString(t.w, text.String())
	return err
}

// cut cuts the cells of the flexible columns, the widest first, until the rows held fit the terminal.
func (t *table) cut() {
	if t.columns == 0 || len(t.flexible) == 0 {
		return
	}
	widths := slices.Clone(t.widths)
	for _, row := range t.rows {
		for i, cell := range row {
			for len(widths) <= i {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	total := columnSpace * (len(widths) - 1)
	for _, width := range widths {
		total += width
	}
	for ; total > t.columns; total-- {
		widest := slices.MaxFunc(t.flexible, func(a, b int) int { return at(widths, a) - at(widths, b) })
		if at(widths, widest) <= leastColumn {
			break
		}
		widths[widest]--
	}
	for _, row := range t.rows {
		for _, i := range t.flexible {
			if i < len(row) {
				row[i] = shorten(row[i], widths[i])
			}
		}
	}
}

// visible returns a text with what a terminal would obey written out, such as \x1b for ESC: names, zones and notes are
// anybody's.
func visible(text string) string {
	if !strings.ContainsFunc(text, commands) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if commands(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// commands reports whether a character controls a terminal or the direction of the text.
func commands(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

func at(widths []int, i int) int {
	if i < len(widths) {
		return widths[i]
	}
	return 0
}

// shorten returns a text of at most width characters.
func shorten(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
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
