package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"junctor/pkg/statefile"
)

// ReadFile reads the key in a file, and makes both where there is no such file. A file that another user owns or may
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
	if err := statefile.CheckSecret(name, info); err != nil {
		return nil, err
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

// create writes a new key to a file. Where another process is faster, its key stays.
func create(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	err := statefile.Create(name, 0o600, []byte(generate()+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
