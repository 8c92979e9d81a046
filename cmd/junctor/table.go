package main

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table prints rows as columns. It holds a number of rows to align them; columns become wider in later ones if need be.
type table struct {
	w        io.Writer
	columns  int   // of the terminal; 0 if there is none
	flexible []int // the columns that may be cut; all rows have them
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
		t.widths = widen(t.widths, row[:max(len(row)-1, 0)]) // the last cell of a row is not padded
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

// widen returns widths of columns that the cells of a row fit in, too.
func widen(widths []int, row []string) []int {
	for i, cell := range row {
		if i == len(widths) {
			widths = append(widths, 0)
		}
		widths[i] = max(widths[i], utf8.RuneCountInString(cell))
	}
	return widths
}

// cut cuts the cells of the flexible columns, the widest first, until the rows held fit the terminal.
func (t *table) cut() {
	if t.columns == 0 || len(t.flexible) == 0 || len(t.rows) == 0 {
		return
	}
	widths := slices.Clone(t.widths)
	for _, row := range t.rows {
		widths = widen(widths, row)
	}
	total := columnSpace * (len(widths) - 1)
	for _, width := range widths {
		total += width
	}
	for ; total > t.columns; total-- {
		widest := slices.MaxFunc(t.flexible, func(a, b int) int { return widths[a] - widths[b] })
		if widths[widest] <= leastColumn {
			break
		}
		widths[widest]--
	}
	for _, row := range t.rows {
		for _, i := range t.flexible {
			row[i] = shorten(row[i], widths[i])
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

// shorten returns a text of at most width characters.
func shorten(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}
