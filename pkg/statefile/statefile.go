// Package statefile writes and checks the small files that belong to one installation: keys, credentials and sockets.
//
// A file is written whole or not at all, is on disk when a call returns, and is readable by its owner only unless the
// caller says otherwise. The package does not know what is in the files.
package statefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Write replaces the file path with data. A reader sees the old content or the new one, and so does the next process
// after a power cut.
func Write(path string, mode os.FileMode, data []byte) error {
	return write(path, mode, data, os.Rename)
}

// Create writes a file that must not exist yet, else it returns an error that is fs.ErrExist and changes nothing.
func Create(path string, mode os.FileMode, data []byte) error {
	return write(path, mode, data, os.Link) // unlike a rename it replaces nothing
}

func write(path string, mode os.FileMode, data []byte, name func(draft, path string) error) error {
	draft, err := NewDraft(path, mode)
	if err != nil {
		return err
	}
	if _, err := draft.Write(data); err != nil {
		return errors.Join(err, draft.Discard())
	}
	return draft.publish(name)
}

// Publish gives a finished file its name, unless path exists: then it returns an error that is fs.ErrExist. Either way
// the name draft is removed.
func Publish(draft, path string) error {
	err := os.Link(draft, path) // unlike a rename it replaces nothing
	if err = errors.Join(err, os.Remove(draft)); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder puts the names in a folder on disk: without it a file that was synced can still be lost with its name.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// IsFull reports whether err says that nothing more can be written here: the disk or a quota is full, or the file
// system is read-only.
func IsFull(err error) bool {
	full := []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EFBIG}
	return slices.ContainsFunc(full, func(cause syscall.Errno) bool { return errors.Is(err, cause) })
}

// CheckFolder returns an error if other users could replace files in a folder: it belongs to somebody else, or its
// group or everybody may write to it. A folder that does not exist is fs.ErrNotExist.
func CheckFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	}
	return check(path, info, 0o022, "chmod go-w")
}

// CheckSecret returns an error if other users could read or replace a file: info is that of the open file path.
func CheckSecret(path string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	return check(path, info, 0o077, "chmod go-rwx")
}

// CheckSocket returns an error if a socket may have been made by another user.
func CheckSocket(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return check(path, info, 0o022, "chmod go-w")
}
