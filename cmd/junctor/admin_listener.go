package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// socketFile is where the socket of an embedded store is found, or a link to it.
func socketFile(home string) string { return filepath.Join(home, "junctor.sock") }

// couchSocketFile is the same in a folder of state, which may serve several CouchDBs. The name says which one it is,
// and nothing of who comes to it.
func couchSocketFile(stateDir, dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		u = &url.URL{} // no store has such a name, see site.check
	}
	sum := sha256.Sum256([]byte(u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")))
	return filepath.Join(stateDir, fmt.Sprintf("junctor-%x.sock", sum[:6]))
}

// maxSocketPath is what the systems we run on take at least (sun_path).
const maxSocketPath = 103

// listenAt listens on a socket, unless another server does. A socket that nobody answers on is left over from one that
// was killed. Where the path is too long for a socket, a link stands there, and the socket itself in a temporary
// folder.
func listenAt(path string) (listener net.Listener, remove func(), err error) {
	if conn, err := dial(context.Background(), path); err == nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("%s is in use by another junctor", path)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, nil, err
	}
	if len(path) <= maxSocketPath {
		listener, err = listenUnix(path)
		return listener, removal(path), err
	}
	folder, err := os.MkdirTemp("", "junctor-")
	if err != nil {
		return nil, nil, err
	}
	if listener, err = linked(path, socketFile(folder)); err != nil {
		_ = os.RemoveAll(folder)
		return nil, nil, err
	}
	removeLink := removal(path)
	return listener, func() { removeLink(); _ = os.RemoveAll(folder) }, nil
}

func linked(path, target string) (net.Listener, error) {
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

// removal answers how to remove the socket that is found at path now. Servers of one CouchDB that start at once may all
// find it left over; what another one has put in its place since is not removed.
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

// listenError says what to do about a TCP address that can't be listened on; flag is where it comes from.
func listenError(flag string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another process listens there; stop it, or choose another port with %s", err, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: ports below 1024 are root's; choose another one with %s", err, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine does not have the address; choose another one with %s", err, flag)
	}
	return fmt.Errorf("%s: %w", flag, err)
}
