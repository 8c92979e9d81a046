package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// hand is a yardstick that was started: see boss.
type hand struct {
	*process
	name   string
	url    string
	in     io.Closer
	tasks  *json.Encoder
	report *json.Decoder
}

// hire starts a yardstick, and waits until it is set up. The phase lets it go in the end.
func (p *phase) hire(ctx context.Context, name string, setup any) (*hand, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := command(ctx, program, name)
	cmd.Stderr = p.notes
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h := &hand{name: name, in: in, tasks: json.NewEncoder(in), report: json.NewDecoder(out)}
	if h.process, err = launch(cmd); err != nil {
		return nil, err
	}
	p.closers = append(p.closers, h.dismiss)
	ready, err := h.ask(setup)
	h.url = ready.URL
	return h, err
}

func (h *hand) ask(what any) (r report, err error) {
	if err = h.tasks.Encode(what); err == nil {
		err = h.report.Decode(&r)
	}
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", h.name, err)
	}
	return r, err
}

// turns asks for turns of so many clients.
func (h *hand) turns(do string, clients int) func(context.Context, time.Duration) (sample, error) {
	return func(_ context.Context, turn time.Duration) (sample, error) {
		r, err := h.ask(task{Do: do, Clients: clients, Turn: turn})
		return r.Sample, err
	}
}

func (h *hand) dismiss() {
	_ = h.in.Close()
	h.stop()
}
