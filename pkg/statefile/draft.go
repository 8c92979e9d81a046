package statefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Draft is a new file under a temporary name. It gets its own name when it is complete.
type Draft struct {
	*os.File
	path string
	mode os.FileMode
}

// NewDraft begins the file path. End it with Publish or Discard.
func NewDraft(path string, mode os.FileMode) (*Draft, error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".junctor-*")
	if err != nil {
		return nil, err
	}
	return &Draft{File: file, path: path, mode: mode}, nil
}

// Publish puts the file on disk and gives it its name, in place of the file that has it. If that fails, the draft is
// gone and the old file is there.
func (d *Draft) Publish() error {
	err := d.complete()
	if err == nil {
		err = os.Rename(d.Name(), d.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(d.Name()))
	}
	return SyncFolder(filepath.Dir(d.path))
}

// complete puts the content on disk.
func (d *Draft) complete() error { return errors.Join(d.Chmod(d.mode), d.Sync(), d.Close()) }

// Discard removes the draft.
func (d *Draft) Discard() error { return errors.Join(d.Close(), os.Remove(d.Name())) }
