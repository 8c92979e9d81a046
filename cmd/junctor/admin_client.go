package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"junctor/pkg/statefile"
)

// errNoServer says that no server has the store open, or that the one that has it has no socket.
var errNoServer = errors.New("no server has the store open")

// forward sends a task to the server that listens on a socket, and prints what that returns.
func (c *cli) forward(ctx context.Context, socket string, request adminRequest) error {
	if !isThere(socket) {
		return errNoServer
	}
	if err := checkSocket(socket); err != nil {
		return err
	}
	conn, err := dial(ctx, socket)
	if err != nil {
		return errNoServer
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestTime + taskTime))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return fmt.Errorf("the server of this store: %w", err)
	}
	var response adminResponse
	if err := json.NewDecoder(conn).Decode(&response); err != nil {
		return fmt.Errorf("the server of this store did not respond: %w", err)
	}
	_, _ = io.WriteString(c.stdout, response.Stdout)
	_, _ = io.WriteString(c.stderr, response.Stderr)
	if response.Code != 0 {
		return exitCode(response.Code)
	}
	return nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// checkSocket refuses a socket that another user may have made: a password goes there. The path may be a link, see
// listenAt.
func checkSocket(path string) error {
	if err := statefile.CheckFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if target, err := os.Readlink(path); err == nil {
		path = target
		if err := statefile.CheckFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	return statefile.CheckSocket(path)
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	if target, err := os.Readlink(path); err == nil {
		path = target
	}
	dialer := net.Dialer{Timeout: requestTime}
	return dialer.DialContext(ctx, "unix", path)
}
