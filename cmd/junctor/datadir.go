package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"junctor/pkg/statefile"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// openHome returns the folder of admin.json and the socket: that of an embedded store. For one in memory it is
// --state-dir or a temporary folder. A CouchDB has none: it can be worked on by several processes at once, and its
// administrator is its operator. Its socket is in the folder of state.
func (s storeFlags) openHome() (folder string, closeHome func(), err error) {
	switch {
	case store.IsCouchDB(s.dsn):
		return "", func() {}, nil
	case s.dsn != embedded.Memory:
		return s.dsn, func() {}, s.checkHome(s.dsn)
	case s.stateDir != "":
		err := os.MkdirAll(s.stateDir, 0o700)
		if err == nil {
			err = statefile.CheckFolder(s.stateDir)
		}
		return s.stateDir, func() {}, err
	}
	folder, err = os.MkdirTemp("", "junctor-")
	return folder, func() { _ = os.RemoveAll(folder) }, err
}

// adminFile returns the path of the file with the API key of the master account.
func adminFile(home string) string { return filepath.Join(home, "admin.json") }

// writeJSON writes value to a file, unless that is its content already.
func writeJSON(path string, mode os.FileMode, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	info, err := os.Lstat(path)
	if err == nil && info.Mode() == mode { // of a regular file
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
			return nil
		}
	}
	return statefile.Write(path, mode, text)
}
