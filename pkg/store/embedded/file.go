package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"
)

// storeFile is the file of a store. Writes to a file that was deleted or replaced would be lost when the store is closed,
// so they must not be accepted.
type storeFile struct {
	path   string      // empty: the store is in memory
	opened fs.FileInfo // of the file that is open
	log    zerolog.Logger
	gone   bool // logged; used by the writer only
}

func newStoreFile(path string, log zerolog.Logger) (*storeFile, error) {
	if path == Memory {
		return &storeFile{log: log}, nil
	}
	path = filepath.Join(path, fileName)
	opened, err := os.Stat(path)
	return &storeFile{path: path, opened: opened, log: log}, err
}

// check returns an error if the file was deleted or replaced since it was opened.
func (f *storeFile) check() error {
	if f.path == "" {
		return nil
	}
	found, err := os.Stat(f.path)
	if err == nil && os.SameFile(found, f.opened) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &Error{http.StatusServiceUnavailable, f.path + " was deleted or replaced while it was open"}
}

// watch is check, and logs when that changes. The writer calls it.
func (f *storeFile) watch() error {
	err := f.check()
	switch {
	case err != nil && !f.gone:
		f.log.Error().Err(err).Msg(fmt.Sprintf("writes are refused and reads go on; to save the data, copy the deleted "+
			"file that /proc/%d/fd shows, stop the server, put the copy in its place and start again", os.Getpid()))
	case err == nil && f.gone:
		f.log.Info().Str("file", f.path).Msg("the store's file is back; writes are accepted again")
	}
	f.gone = err != nil
	return err
}

// room returns an error if the disk does not take as much as the file grows by, because it is full, over a quota or
// read-only. It writes to a file without a name and does not sync it, so that next to nothing reaches the disk.
func (f *storeFile) room() error {
	if f.path == "" {
		return nil
	}
	scratch, err := os.CreateTemp(filepath.Dir(f.path), ".junctor-room-*")
	if err != nil {
		return &Error{http.StatusInsufficientStorage, err.Error()}
	}
	defer func() { _ = scratch.Close() }()
	err = os.Remove(scratch.Name())
	if err == nil {
		_, err = scratch.Write(make([]byte, growth))
	}
	if err != nil {
		return &Error{http.StatusInsufficientStorage, err.Error()}
	}
	return nil
}
