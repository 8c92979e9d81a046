package statefile

import (
	"errors"
	"os"
	"syscall"
)

// ErrLocked says that another process has a file locked.
var ErrLocked = errors.New("another process uses it")

// LockFolder locks a folder for this process until unlock is called, or returns ErrLocked. On a file system that can't
// lock folders it does nothing.
func LockFolder(path string) (unlock func() error, err error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := Lock(folder); errors.Is(err, ErrLocked) {
		return nil, errors.Join(err, folder.Close())
	}
	return folder.Close, nil
}

// Lock locks an open file or folder for this process until it is closed. It returns ErrLocked at once if another
// process has it.
func Lock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}
