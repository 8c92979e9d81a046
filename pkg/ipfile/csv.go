package ipfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// csvReader reads CSV with commas, semicolons or tabs.
type csvReader struct {
	csv     *csv.Reader
	limit   *rowLimiter
	columns columns
	before  int          // lines before the first record
	held    []heldRecord // read to find the header, and data after all
}

type heldRecord struct {
	line  int
	cells []string
}

// headerLines bounds the lines before a header: phpIPAM's export of a subnet begins with a description of the subnet.
const headerLines = 6

func newCSVReader(r *bufio.Reader, limit *rowLimiter, before int) (*csvReader, error) {
	c := &csvReader{csv: csv.NewReader(r), limit: limit, before: before}
	c.csv.FieldsPerRecord = -1
	c.csv.TrimLeadingSpace = true
	c.csv.Comma = separator(r)
	for range headerLines {
		record, err := c.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if found, ok := findColumns(record.cells); ok {
			c.columns, c.held = found, nil
			return c, nil
		}
		c.held = append(c.held, record)
	}
	if !isData(c.held[0].cells) {
		return nil, fmt.Errorf("line %d is neither a header with a column \"ip\" nor begins with an address", c.held[0].line)
	}
	c.columns = ownColumns
	return c, nil
}

// separator returns what separates the cells of the first line.
func separator(r *bufio.Reader) rune {
	start, _ := r.Peek(r.Size())
	line, _, _ := bytes.Cut(start, []byte("\n"))
	best := byte(',')
	for _, candidate := range []byte{';', '\t'} {
		if bytes.Count(line, []byte{candidate}) > bytes.Count(line, []byte{best}) {
			best = candidate
		}
	}
	return rune(best)
}

func (c *csvReader) next() (heldRecord, error) {
	c.limit.next()
	cells, err := c.csv.Read()
	if err != nil {
		return heldRecord{}, err
	}
	line, _ := c.csv.FieldPos(0)
	line += c.before
	if !utf8.ValidString(strings.Join(cells, "")) {
		return heldRecord{}, fmt.Errorf("line %d is not UTF-8: save the file in that encoding", line)
	}
	return heldRecord{line, cells}, nil
}

// read returns the next row that is not empty.
func (c *csvReader) read() (Row, error) {
	for {
		var record heldRecord
		if len(c.held) > 0 {
			record, c.held = c.held[0], c.held[1:]
		} else {
			var err error
			if record, err = c.next(); err != nil {
				return Row{}, err
			}
		}
		row := c.columns.row(record.cells)
		if row == (Row{}) { // as spreadsheets leave them at the end
			continue
		}
		row.Number = record.line
		if c.columns.beyond(record.cells) {
			return Row{}, &RowError{row, fmt.Sprintf("it has %d columns in place of %d: a text with %q in it needs quotation marks",
				len(record.cells), c.columns.width, c.csv.Comma)}
		}
		return row, nil
	}
}
