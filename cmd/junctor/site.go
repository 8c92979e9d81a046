package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"junctor/pkg/fault"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// site is which store to work on, and where to keep what belongs to it but has no place in it.
type site struct {
	dsn      string
	stateDir string // as it was given; empty: not given
	userDir  string // of a CouchDB's state if no stateDir is given; empty: the user has no home
}

// define defines --store and --state-dir. The store is checked later, by check: what fs itself refuses it repeats.
func (s *site) define(fs *flag.FlagSet) {
	fs.StringVar(&s.dsn, "store", "./junctor-data", "a folder, memory:, or http(s)://USER:PASSWORD@HOST:PORT of a CouchDB")
	fs.StringVar(&s.stateDir, "state-dir", "", "folder of a CouchDB's socket, and of its secret.key unless "+
		"JUNCTOR_SECRET_KEY is set (none: ~/.local/state/junctor), of a memory: store's files (none: a temporary one), "+
		"and of the checkpoint of change notices")
}

// check refuses what can't be a store or a folder, and finds the default folder of state.
func (s *site) check(getenv func(string) string) error {
	if err := checkStore(s.dsn); err != nil {
		return usageError("--store: " + err.Error())
	}
	if s.stateDir != "" {
		if err := checkFolderName(s.stateDir); err != nil {
			return usageError("--state-dir: " + err.Error())
		}
	}
	s.userDir = userStateDir(getenv)
	return nil
}

// userStateDir returns where the user of this process keeps state, as the XDG Base Directory Specification says. It is
// never relative: what is secret must not end up wherever somebody happens to be.
func userStateDir(getenv func(string) string) string {
	if folder := getenv("XDG_STATE_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "junctor")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "junctor")
	}
	return ""
}

// home is where a task that has the store for itself finds what belongs to it; see openHome.
func (s site) home() string {
	if store.IsCouchDB(s.dsn) {
		return ""
	}
	return s.dsn
}

// state returns the folder of state of a CouchDB. It is empty if there is none.
func (s site) state() string { return cmp.Or(s.stateDir, s.userDir) }

// errNoState says what to do where a folder of state is needed and there is none.
var errNoState = errors.New("there is no folder for it: give one with --state-dir")

// missing reports whether there is no such store yet.
func (s site) missing() bool {
	if store.IsCouchDB(s.dsn) || s.dsn == embedded.Memory {
		return false
	}
	_, err := os.Lstat(embedded.File(s.dsn))
	return errors.Is(err, fs.ErrNotExist)
}

// checkHome refuses a folder that other users can write to, and one from which the store was lost: a new one would
// take its place, with another key and another administrator.
func (s site) checkHome(home string) error {
	if home == "" || home == embedded.Memory {
		return nil
	}
	err := statefile.CheckFolder(home)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	admin := adminFile(home)
	if _, err := os.Lstat(admin); err == nil && s.missing() {
		return fmt.Errorf("%s is missing, and %s is there: restore the store from a backup, or move %s away to begin "+
			"with a new store", embedded.File(home), admin, filepath.Base(admin))
	}
	return nil
}

// socket is where the server of the store takes tasks; home is the folder of an embedded store, see openHome. It is
// empty where there is no folder for one.
func (s site) socket(home string) string {
	switch {
	case !store.IsCouchDB(s.dsn):
		return socketFile(home)
	case s.state() == "":
		return ""
	}
	return couchSocketFile(s.state(), s.dsn)
}

// explain adds to an error of a CouchDB which one it is and what to do.
func (s site) explain(err error) error {
	switch name := store.Redact(s.dsn); {
	case !store.IsCouchDB(s.dsn):
		return err
	case store.Refused(err):
		return fmt.Errorf("%s refuses the user and password in --store: correct them (%w)", name, err)
	case fault.Is(err, fault.DatastoreUnreachable):
		return fmt.Errorf("%s does not respond: check that it runs and that --store is its address (%w)", name, err)
	}
	return err
}
