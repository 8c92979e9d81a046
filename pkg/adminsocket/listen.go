package adminsocket

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// maxPath is the longest path of a socket that all systems we run on allow (sun_path).
const maxPath = 103

// listen listens on a socket, unless another server does. A socket that refuses connections was left by a killed
// server.
func listen(path string) (listener net.Listener, remove func(), err error) {
	if conn, err := dial(context.Background(), path); err == nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("%s is in use by another junctor", path)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, nil, err
	}
	short, done, err := shorten(path)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	unix.SetUnlinkOnClose(false) // see removal
	if err := os.Chmod(path, 0o600); err != nil {
		_ = unix.Close()
		return nil, nil, err
	}
	return unix, removal(path), nil
}

// removal returns a function that removes the socket that is at path now, but not one that another server has put in its
// place since: servers of one CouchDB that start at once may all find a left socket.
func removal(path string) (remove func()) {
	own, _ := os.Stat(path)
	return func() {
		if found, err := os.Stat(path); err == nil && os.SameFile(own, found) {
			_ = os.Remove(path)
		}
	}
}

// dial connects to a socket. It is ErrNoServer if nobody listens there.
func dial(ctx context.Context, path string) (net.Conn, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", short)
	if err != nil {
		return nil, ErrNoServer
	}
	return conn, nil
}

// shorten returns a path of at most maxPath bytes for a socket, which is good until done is called: for a longer one it
// opens the folder and names that by its number, which Linux knows.
func shorten(path string) (short string, done func(), err error) {
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path)), func() { _ = folder.Close() }, nil
}
