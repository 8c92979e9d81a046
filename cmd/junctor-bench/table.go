package main

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// english prints numbers with commas in them.
var english = message.NewPrinter(language.English)

// format writes lines as a table of Markdown that people can read as it is.
func format(lines []line) string {
	rows := [][]string{
		{"what", "store, addresses", "median", "p50", "p99", "beside it", "median", "ratio", "wanted"},
		{"---", "---", "--:", "--:", "--:", "---", "--:", "--:", "---"},
	}
	for _, l := range lines {
		rows = append(rows, []string{l.what, l.where, l.figure, l.p50, l.p99, l.beside, l.other, l.ratio, l.target})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			text.WriteString("| " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + " ")
		}
		text.WriteString("|\n")
	}
	return text.String()
}
