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

// worker is a process that is a baseline, as the coordinator sees it.
type worker struct {
	*process
	name   string
	url    string
	in     io.Closer
	tasks  *json.Encoder
	report *json.Decoder
}

// startWorker starts a baseline, and waits until it is set up. The phase ends it.
func (p *phase) startWorker(ctx context.Context, name string, setup any) (*worker, error) {
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
	w := &worker{name: name, in: in, tasks: json.NewEncoder(in), report: json.NewDecoder(out)}
	if w.process, err = launch(cmd); err != nil {
		return nil, err
	}
	p.closers = append(p.closers, w.end)
	ready, err := w.ask(setup)
	w.url = ready.URL
	return w, err
}

func (w *worker) ask(what any) (r report, err error) {
	if err = w.tasks.Encode(what); err == nil {
		err = w.report.Decode(&r)
	}
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", w.name, err)
	}
	return r, err
}

// turns asks for turns of so many clients.
func (w *worker) turns(do string, clients int) func(context.Context, time.Duration) (sample, error) {
	return func(_ context.Context, turn time.Duration) (sample, error) {
		r, err := w.ask(task{Do: do, Clients: clients, Turn: turn})
		return r.Sample, err
	}
}

func (w *worker) end() {
	_ = w.in.Close()
	w.stop()
}
