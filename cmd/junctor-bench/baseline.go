package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// baselines are what the product is measured beside. This program is one if it is started with its name: it reads its
// setup, and then does tasks until there are no more.
var baselines = map[string]func(context.Context, *coordinator) error{
	"mux": serveCanned, "bbolt": writeToBolt, "couchdb": workOnCouchDB,
}

// coordinator is the process that measures, as a baseline sees it: on its standard input and output.
type coordinator struct {
	in  *json.Decoder
	out *json.Encoder
}

func newCoordinator(in io.Reader, out io.Writer) *coordinator {
	return &coordinator{in: json.NewDecoder(in), out: json.NewEncoder(out)}
}

// task asks for a turn.
type task struct {
	Do      string        `json:"do"`
	Clients int           `json:"clients"`
	Turn    time.Duration `json:"turn"`
}

// report is the response to a setup, or to a task.
type report struct {
	URL    string `json:"url,omitempty"` // of a server
	Sample sample `json:"sample"`
	Error  string `json:"error,omitempty"`
}

// serve reports that the baseline is ready, at a URL if it has one, and does tasks until the coordinator closes the
// connection.
func (c *coordinator) serve(ctx context.Context, url string, operations map[string]operation) error {
	if err := c.out.Encode(report{URL: url}); err != nil {
		return err
	}
	for {
		var t task
		if err := c.in.Decode(&t); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var r report
		var err error
		if r.Sample, err = repeat(ctx, t.Clients, t.Turn, operations[t.Do]); err != nil {
			r.Error = err.Error()
		}
		if err := c.out.Encode(r); err != nil {
			return err
		}
	}
}
