package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// yardsticks are what this program is when it is started with one of these names. Each reads how it is to be set up
// from its boss, and then does what it is asked for until nobody asks any more.
var yardsticks = map[string]func(context.Context, *boss) error{
	"mux": serveCanned, "bbolt": writeToBolt, "couchdb": workOnCouchDB,
}

// boss is who started a yardstick: on its standard input and output.
type boss struct {
	in  *json.Decoder
	out *json.Encoder
}

func newBoss(in io.Reader, out io.Writer) *boss {
	return &boss{in: json.NewDecoder(in), out: json.NewEncoder(out)}
}

// task asks for a turn.
type task struct {
	Do      string        `json:"do"`
	Clients int           `json:"clients"`
	Turn    time.Duration `json:"turn"`
}

// report is the answer to a setup, or to a task.
type report struct {
	URL    string `json:"url,omitempty"` // of a server
	Sample sample `json:"sample"`
	Error  string `json:"error,omitempty"`
}

// serve says that the yardstick is ready, at a URL if it has one, and does tasks. That the boss hangs up is the end.
func (b *boss) serve(ctx context.Context, url string, operations map[string]operation) error {
	if err := b.out.Encode(report{URL: url}); err != nil {
		return err
	}
	for {
		var t task
		if err := b.in.Decode(&t); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var r report
		var err error
		if r.Sample, err = repeat(ctx, t.Clients, t.Turn, operations[t.Do]); err != nil {
			r.Error = err.Error()
		}
		if err := b.out.Encode(r); err != nil {
			return err
		}
	}
}
