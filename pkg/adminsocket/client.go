package adminsocket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"junctor/pkg/statefile"
)

// ErrNoServer says that no server listens on a socket.
var ErrNoServer = errors.New("no server has the store open")

// Call sends a request to the server that listens on a socket. It refuses a socket that another user may have made: the
// request may have a password in it.
func Call(ctx context.Context, path string, request Request) (response Response, err error) {
	if _, err := os.Stat(path); err != nil {
		return response, ErrNoServer
	}
	if err := checkOwner(path); err != nil {
		return response, err
	}
	conn, err := dial(ctx, path)
	if err != nil {
		return response, ErrNoServer
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestTime + taskTime))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return response, fmt.Errorf("the server of this store: %w", err)
	}
	if err := json.NewDecoder(conn).Decode(&response); err != nil {
		return response, fmt.Errorf("the server of this store did not respond: %w", err)
	}
	return response, nil
}

// checkOwner refuses a socket of another user. path may be a link, see listen.
func checkOwner(path string) error {
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
