//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package notify

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a folder for this process. Where the file system can't lock folders it does nothing.
func lock(folder string) (unlock func(), err error) {
	file, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		_ = file.Close()
		return nil, errors.New(folder + " is in use by another junctor: give each server a --state-dir of its own")
	}
	return func() { _ = file.Close() }, nil
}
