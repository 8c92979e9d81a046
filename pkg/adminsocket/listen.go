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
// server. If path is too long for a socket it becomes a link, and the socket is in a temporary folder.
func listen(path string) (listener net.Listener, remove func(), err error) {
	if conn, err := dial(context.Background(), path); err == nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("%s is in use by another junctor", path)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, nil, err
	}
	if len(path) <= maxPath {
		listener, err = listenUnix(path)
		return listener, removal(path), err
	}
	folder, err := os.MkdirTemp("", "junctor-")
	if err != nil {
		return nil, nil, err
	}
	if listener, err = listenLinked(path, filepath.Join(folder, "junctor.sock")); err != nil {
		_ = os.RemoveAll(folder)
		return nil, nil, err
	}
	removeLink := removal(path)
	return listener, func() { removeLink(); _ = os.RemoveAll(folder) }, nil
}

func listenLinked(path, target string) (net.Listener, error) {
	listener, err := listenUnix(target)
	if err != nil {
		return nil, err
	}
	if err := os.Symlink(target, path); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
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

func listenUnix(path string) (net.Listener, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // see removal
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}
