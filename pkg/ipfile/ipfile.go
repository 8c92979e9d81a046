// Package ipfile reads and writes files of dedicated IPs: CSV, also as NetBox and phpIPAM export it, and JSON. Files of any
// length are read row by row.
//
// The package recognizes formats and columns. It does not know whether an address is valid or in the pool, nor where
// the rows go.
package ipfile

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"junctor/pkg/ipbatch"
)

// Row is one row of a file.
type Row struct {
	Number int // the line of a CSV file, the element of a JSON list; from 1
	ipbatch.Entry
}

// RowError is what is wrong with the form of one row. The rows after it can be read.
type RowError struct {
	Row     Row // as far as it could be read; Number is set
	Message string
}

func (e *RowError) Error() string { return fmt.Sprintf("row %d: %s", e.Row.Number, e.Message) }

// Options are defaults for rows that have no zone or host of their own.
type Options struct{ Zone, Host string }

// Reader reads the rows of a file.
type Reader struct {
	options Options
	rows    rowReader
}

// rowReader reads one format.
type rowReader interface {
	read() (Row, error)
}

// maxRow bounds a row, in bytes: a quotation mark without its partner must not read the whole file.
const maxRow = 64 << 10

// NewReader returns a Reader of a file, whose format it detects. If the file is not one of addresses, NewReader or the
// first Read returns an error.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	limited := &rowLimiter{reader: r}
	limited.next()
	buffered := bufio.NewReader(limited)
	if start, _ := buffered.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		_, _ = buffered.Discard(len(byteOrderMark))
	}
	first, lines, err := firstByte(buffered)
	if err != nil && err != io.EOF {
		return nil, err
	}
	reader := &Reader{options: o}
	switch {
	case err == io.EOF:
		return nil, errors.New("the file is empty")
	case first == '[' || first == '{':
		reader.rows, err = newJSONReader(buffered, limited)
	case first == 'P' || first == 0xd0:
		if start, _ := buffered.Peek(4); string(start) == "PK\x03\x04" || string(start) == "\xd0\xcf\x11\xe0" {
			return nil, errors.New("this is a spreadsheet: save it as CSV")
		}
		fallthrough
	default:
		reader.rows, err = newCSVReader(buffered, limited, lines)
	}
	return reader, ignoreEOF(err)
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// firstByte returns the first byte that is not white space, which is left to be read, and how many lines are before it.
func firstByte(r *bufio.Reader) (first byte, lines int, err error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, lines, err
		}
		switch b {
		case '\n':
			lines++
		case ' ', '\t', '\r':
		default:
			return b, lines, r.UnreadByte()
		}
	}
}

// Read returns the next row, or io.EOF. After a *RowError Read may be called again; other errors are about the file.
func (r *Reader) Read() (Row, error) {
	row, err := r.rows.read()
	if err != nil {
		return row, err
	}
	row.Zone, row.Host = cmp.Or(row.Zone, r.options.Zone), cmp.Or(row.Host, r.options.Host)
	return row, nil
}

// rowLimiter bounds how much is read for a row.
type rowLimiter struct {
	reader io.Reader
	left   int
}

var errRowTooLong = fmt.Errorf("a row is longer than %d bytes: is a quotation mark missing?", maxRow)

// next begins a row. What was read ahead counts as part of it, so the bound is not exact.
func (l *rowLimiter) next() { l.left = 2 * maxRow }

func (l *rowLimiter) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, errRowTooLong
	}
	n, err := l.reader.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
