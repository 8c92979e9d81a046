package ipfile

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
)

// Address is what a file has of an address.
type Address struct {
	IP         string `json:"ip"`
	Zone       string `json:"zone"`
	Host       string `json:"host"`
	Notes      string `json:"notes"`
	Status     string `json:"status"`
	AssignedTo string `json:"assigned_to"` // the account that has it; empty if none does
}

// Writer writes a file of addresses, which a Reader reads. The Reader ignores the columns after the notes.
type Writer interface {
	Write(a Address) error
	// Close completes the file. It does not close what it was written to.
	Close() error
}

// Formats are the formats of NewWriter.
var Formats = []string{"csv", "json"}

// NewWriter returns a Writer of a format.
func NewWriter(w io.Writer, format string) (Writer, error) {
	if format == "json" {
		j := &jsonWriter{w: bufio.NewWriter(w)}
		_, err := j.w.WriteString("[")
		return j, err
	}
	c := csvWriter{csv.NewWriter(w)}
	return c, c.csv.Write([]string{"ip", "zone", "host", "notes", "status", "assigned_to"})
}

type csvWriter struct{ csv *csv.Writer }

func (c csvWriter) Write(a Address) error {
	return c.csv.Write([]string{a.IP, a.Zone, a.Host, a.Notes, a.Status, a.AssignedTo})
}

func (c csvWriter) Close() error {
	c.csv.Flush()
	return c.csv.Error()
}

type jsonWriter struct {
	w   *bufio.Writer
	any bool
}

func (j *jsonWriter) Write(a Address) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	between := ",\n"
	if !j.any {
		between = "\n"
	}
	j.any = true
	_, err = fmt.Fprintf(j.w, "%s%s", between, text)
	return err
}

func (j *jsonWriter) Close() error {
	_, _ = j.w.WriteString("\n]\n") // Flush returns the error
	return j.w.Flush()
}
