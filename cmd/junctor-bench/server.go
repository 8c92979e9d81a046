package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// server is a running "junctor serve".
type server struct {
	*process
	url string
}

// start serves a world and notes how long it took until the first request with a token was answered.
func (b *bench) start(ctx context.Context, w *world) error {
	ready := filepath.Join(w.folder, "ready.json")
	cmd := command(ctx, b.program, "serve", "--listen", "127.0.0.1:0", "--ready-file", ready,
		"--state-dir", filepath.Join(w.folder, "state"))
	cmd.Env = append(withoutOurs(os.Environ()), "JUNCTOR_STORE="+w.dsn) // a CouchDB's has a password in it
	cmd.Stderr = b.serverLog
	began := time.Now()
	p, err := launch(cmd)
	if err != nil {
		return err
	}
	w.server = &server{process: p}
	if w.server.url, err = p.await(ctx, ready); err == nil {
		_, err = b.http.fetch(ctx, w.first())
	}
	if err != nil {
		p.stop()
		return fmt.Errorf("junctor serve, %s: %w (--log keeps its log)", w.name(), err)
	}
	w.starts = append(w.starts, time.Since(began))
	return b.inMemory(ctx, w)
}

// inMemory waits until the server has read what it keeps in memory: what is measured is to be warm.
func (b *bench) inMemory(ctx context.Context, w *world) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it did not read its pool in time"))
	defer cancel()
	for {
		a, err := b.http.fetch(ctx, w.first())
		if err != nil || a.header.Get("X-Read-From") == "" {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// first is a request of what the world has.
func (w *world) first() request {
	if w.size == 0 {
		return w.lookup(0)
	}
	return w.readOne(0)
}

// withoutOurs leaves out what would configure the server in a way of its own.
func withoutOurs(environment []string) (kept []string) {
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "JUNCTOR_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// await waits for a server's ready file, and answers the URL in it.
func (p *process) await(ctx context.Context, file string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it was not ready in time"))
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		text, err := os.ReadFile(file)
		if err == nil {
			var ready struct{ URL string }
			err = json.Unmarshal(text, &ready)
			return ready.URL, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		select {
		case <-look.C:
		case <-p.ended:
			return "", errors.New(p.cmd.ProcessState.String())
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}
