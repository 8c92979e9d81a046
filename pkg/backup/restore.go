package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"junctor/pkg/statefile"
	"junctor/pkg/store/embedded"
)

// draftFolder holds a store until it is complete.
const draftFolder = ".junctor-restore"

// Restore makes the folder of a store from the backup. The folder does not exist yet or has no store; other files in it
// are not changed. The store appears last and complete, or not at all. Beside an AdminName and without its store a
// folder is not served, so that after a power cut nothing begins a new store in its place.
func (b *Backup) Restore(folder string) (err error) {
	_, err = os.Lstat(folder)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil && isNew {
			_ = os.Remove(folder) // if it is empty
		}
	}()
	if err := statefile.CheckFolder(folder); err != nil {
		return err
	}
	unlock, err := statefile.LockFolder(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := b.refuse(folder); err != nil {
		return err
	}
	drafts := filepath.Join(folder, draftFolder)
	defer func() { err = errors.Join(err, os.RemoveAll(drafts)) }()
	draft, err := b.writeDraft(drafts)
	if err != nil {
		return err
	}
	for _, file := range b.small {
		if err := statefile.Write(filepath.Join(folder, file.name), 0o600, file.text); err != nil {
			return err
		}
	}
	if err := statefile.Publish(draft, embedded.File(folder)); err != nil {
		return err
	}
	if isNew {
		return statefile.SyncFolder(filepath.Dir(filepath.Clean(folder)))
	}
	return nil
}

// refuse returns an error if the folder holds what a restored store would replace.
func (b *Backup) refuse(folder string) error {
	path := embedded.File(folder)
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("there is a store in %s: name another folder, or stop its server and move %s away", folder, path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, file := range b.small {
		if file.name != KeyName {
			continue
		}
		path := filepath.Join(folder, file.name)
		text, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(text, file.text) {
			err = fmt.Errorf("%s differs from that of the backup: move it away", path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writeDraft writes the store into a folder of its own, and opens it there once.
func (b *Backup) writeDraft(folder string) (path string, err error) {
	if err := os.RemoveAll(folder); err != nil { // of a restore that was interrupted
		return "", err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(folder, storeName)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(file, io.NewSectionReader(b.store, 0, b.store.Size()))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", err
	}
	return path, embedded.CheckFile(path)
}
