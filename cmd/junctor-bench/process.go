package main

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// patience is how long a process may take to start, on what it has, or to end. A CouchDB may have to make the views of
// a million documents until then.
const patience = 10 * time.Minute

// process is a program that runs beside this one. It is told to end when the context of cmd does.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// command is a program that is told to end, and not killed, when ctx does.
func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

func launch(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	return p, nil
}

// stop ends the process and waits for it. One that does not listen is killed.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	<-p.ended
}
