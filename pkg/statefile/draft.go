package statefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Draft is a new file under a temporary name, beside the file that it becomes when it is complete. It is locked while
// it is open.
type Draft struct {
	*os.File
	path string
	mode os.FileMode
}

// NewDraft begins the file path, and removes the drafts of it that killed processes have left. End it with Publish or
// Discard.
func NewDraft(path string, mode os.FileMode) (*Draft, error) {
	folder, prefix := filepath.Dir(path), "."+filepath.Base(path)+".junctor-"
	removeUnlocked(folder, prefix)
	for {
		file, err := os.CreateTemp(folder, prefix+"*")
		if err != nil {
			return nil, err
		}
		locked := Lock(file)
		if _, err := os.Lstat(file.Name()); err == nil && !errors.Is(locked, ErrLocked) {
			return &Draft{File: file, path: path, mode: mode}, nil
		}
		_ = file.Close() // another process took it for one that was left, before it was locked
	}
}

// removeUnlocked removes the files of a folder that begin with prefix and that no process has locked, as far as it can.
func removeUnlocked(folder, prefix string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !strings.HasPrefix(entry.Name(), prefix) { // to open a pipe could take for ever
			continue
		}
		name := filepath.Join(folder, entry.Name())
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		if Lock(file) == nil {
			_ = os.Remove(name)
		}
		_ = file.Close()
	}
}

// Publish puts the file on disk and gives it its name, in place of the file that has it. If that fails, the draft is
// gone and the old file is there.
func (d *Draft) Publish() error { return d.publish(os.Rename) }

// publish gives the file its name by rename or link.
func (d *Draft) publish(name func(draft, path string) error) error {
	err := errors.Join(d.Chmod(d.mode), d.Sync())
	if err == nil {
		err = name(d.Name(), d.path)
	}
	if err = errors.Join(err, d.Discard()); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(d.path))
}

// Discard removes the draft.
func (d *Draft) Discard() error {
	err := os.Remove(d.Name())
	if errors.Is(err, fs.ErrNotExist) { // it was renamed
		err = nil
	}
	return errors.Join(err, d.Close())
}
