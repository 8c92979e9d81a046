package transfer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

// A file has these lines:
//
//	{"junctor_export":3,"created":"2026-11-27T12:00:00Z","version":"1.0.0"}
//	{"database":"dedicated_ips"}     of which the documents follow; design documents come last, and tombstones
//	{"doc":{"_id":…}}                without its revision, and with "attachments" behind it if it has any
//	{"counts":{"databases":1,"documents":1,"attachments":0}}    the last but one
//	{"end":{"sha256":"…"}}           of all bytes before it

// version is the version of the format.
const version = 3

// The bounds of lines in bytes. One of a document has maxAttachments, of which base64 makes a third more, and the document. A
// CouchDB takes at most 8 MB, unless it is configured otherwise.
const (
	maxHeader = 4 << 10
	maxLine   = 3 << 29
)

type header struct {
	Export  int       `json:"junctor_export"`
	Created time.Time `json:"created"`
	Version string    `json:"version"`
}

// Counts are the numbers of what is in a file.
type Counts struct {
	Databases   int `json:"databases"`
	Documents   int `json:"documents"` // design documents and tombstones, too
	Attachments int `json:"attachments"`
}

type ending struct {
	Sum string `json:"sha256"`
}

// line is any line but the header.
type line struct {
	Database    *string               `json:"database,omitempty"`
	Doc         json.RawMessage       `json:"doc,omitempty"`
	Attachments map[string]attachment `json:"attachments,omitempty"` // of Doc, by name
	Counts      *Counts               `json:"counts,omitempty"`
	End         *ending               `json:"end,omitempty"`
}

// lineWriter writes a file.
type lineWriter struct {
	to    *bufio.Writer
	sum   hash.Hash
	bytes int64
}

func newLineWriter(w io.Writer) *lineWriter {
	return &lineWriter{to: bufio.NewWriterSize(w, 256<<10), sum: sha256.New()}
}

// Write writes a part of a line.
func (w *lineWriter) Write(p []byte) (int, error) {
	_, _ = w.sum.Write(p)
	w.bytes += int64(len(p))
	return w.to.Write(p)
}

// write writes a line.
func (w *lineWriter) write(value any) error { return json.NewEncoder(w).Encode(value) }

// end writes the last lines.
func (w *lineWriter) end(c Counts) error {
	if err := w.write(line{Counts: &c}); err != nil {
		return err
	}
	if err := w.write(line{End: &ending{Sum: fmt.Sprintf("%x", w.sum.Sum(nil))}}); err != nil {
		return err
	}
	return w.to.Flush()
}

// Errors about a file that is not a whole export.
var (
	errForeign = errors.New("it is not an export of junctor's")
	errCutOff  = errors.New("it is cut off: its last line, with the check sum, is missing")
	errLong    = errors.New("it has a line that is too long")
	errSum     = errors.New("its check sum is wrong: it was changed after it was written")
)

// lineReader reads a file.
type lineReader struct {
	limited *io.LimitedReader // what from reads of the file
	from    *bufio.Reader
	sum     hash.Hash
	bytes   int64
}

// newLineReader reads the header.
func newLineReader(r io.Reader) (*lineReader, header, error) {
	limited := &io.LimitedReader{R: r}
	l := &lineReader{limited: limited, from: bufio.NewReaderSize(limited, 256<<10), sum: sha256.New()}
	var h header
	text, err := l.text(maxHeader)
	if err != nil && err != errCutOff && err != errLong {
		return nil, h, err
	}
	if json.Unmarshal(text, &h) != nil || h.Export == 0 {
		return nil, h, errForeign
	}
	if h.Export != version {
		return nil, h, fmt.Errorf("junctor %s has written it, in format %d, and this one reads format %d: use that one",
			h.Version, h.Export, version)
	}
	_, _ = l.sum.Write(text)
	return l, h, nil
}

// text returns the next line, or if it has more than most bytes the beginning.
func (l *lineReader) text(most int64) ([]byte, error) {
	l.limited.N = most
	text, err := l.from.ReadBytes('\n')
	l.bytes += int64(len(text))
	switch {
	case err == io.EOF && l.limited.N == 0:
		return text, errLong
	case err == io.EOF:
		return text, errCutOff
	}
	return text, err
}

var (
	endPrefix    = []byte(`{"end":`)
	countsPrefix = []byte(`{"counts":`)
)

// next returns the next line as it is. After the last line, which is compared with what was read, it returns nil.
func (l *lineReader) next() (text []byte, err error) {
	text, err = l.text(maxLine)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(text, endPrefix) {
		_, _ = l.sum.Write(text)
		return text, nil
	}
	var last line
	if json.Unmarshal(text, &last) != nil || last.End == nil || last.End.Sum != fmt.Sprintf("%x", l.sum.Sum(nil)) {
		return nil, errSum
	}
	if _, err := l.from.ReadByte(); err != io.EOF {
		return nil, errSum
	}
	return nil, nil
}

// Verify reads a file to its end, and returns what is in it. An error says what is wrong with it.
func Verify(r io.Reader) (Counts, error) {
	l, _, err := newLineReader(r)
	if err != nil {
		return Counts{}, err
	}
	var last line
	for {
		text, err := l.next()
		switch {
		case err != nil:
			return Counts{}, err
		case text == nil && last.Counts == nil:
			return Counts{}, errForeign
		case text == nil:
			return *last.Counts, nil
		case bytes.HasPrefix(text, countsPrefix):
			if err := json.Unmarshal(text, &last); err != nil {
				return Counts{}, errForeign
			}
		}
	}
}
