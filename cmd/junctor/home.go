package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// openHome answers the folder of admin.json and the socket: that of an embedded store. For one in memory it is
// --state-dir or a temporary folder. A CouchDB has none: it can be worked on by several processes at once, and its
// administrator is its operator. Its socket is in the folder of state.
func (s site) openHome() (folder string, closeHome func(), err error) {
	switch {
	case store.IsCouchDB(s.dsn):
		return "", func() {}, nil
	case s.dsn != embedded.Memory:
		return s.dsn, func() {}, nil
	case s.stateDir != "":
		return s.stateDir, func() {}, os.MkdirAll(s.stateDir, 0o700)
	}
	folder, err = os.MkdirTemp("", "junctor-")
	return folder, func() { _ = os.RemoveAll(folder) }, err
}

// adminFile is where the key of the master account is found.
func adminFile(home string) string { return filepath.Join(home, "admin.json") }

// writeJSON writes a file so that whoever reads it at the same time sees all of it or what was there before.
func writeJSON(path string, mode os.FileMode, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".junctor-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it is renamed
	defer file.Close()
	if _, err := file.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
