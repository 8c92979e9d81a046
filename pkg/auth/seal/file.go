package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadFile reads the key in a file, and makes both where there is no such file. One that its group or others may
// read is refused: its key has to count as known to them.
func ReadFile(name string) (*Key, error) {
	key, err := readFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := create(name); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return readFile(name)
}

func readFile(name string) (*Key, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", name)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("%s has mode %#o: a key is for its owner only (0600)", name, info.Mode().Perm())
	}
	text := make([]byte, 128)
	n, err := file.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	key, err := Parse(string(text[:n]))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

// create writes a new key to a file, whole or not at all. Where another process is faster, its key stays.
func create(name string) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, ".key-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(generate() + "\n")
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	err = os.Link(draft.Name(), name) // unlike a rename, it replaces nothing
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
