package statefile

import (
	"errors"
	"os"
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
