package main

import (
	"cmp"
	"errors"
	"flag"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"junctor/pkg/store"
)

// site is which store to work on, and where to keep what belongs to it but has no place in it.
type site struct {
	dsn      string
	stateDir string
}

// define defines --store and --state-dir. The store is checked later, by check: what fs itself refuses it repeats.
func (s *site) define(fs *flag.FlagSet) {
	fs.StringVar(&s.dsn, "store", "./junctor-data", "a folder, memory:, or http(s)://USER:PASSWORD@HOST:PORT of a CouchDB")
	fs.StringVar(&s.stateDir, "state-dir", "", "folder of a CouchDB's socket, and of its secret.key unless "+
		"JUNCTOR_SECRET_KEY is set (none: ./junctor-state), of a memory: store's files (none: a temporary one), "+
		"and of notices that wait")
}

// check refuses what can't be a store. It does not repeat what may be the URL of a CouchDB, with a password in it; and
// one that begins with something else, by a slip, is not the name of a folder.
func (s site) check() error {
	u, err := url.Parse(s.dsn)
	switch {
	case s.dsn == "":
		return usageError("--store: a store has a name")
	case store.IsCouchDB(s.dsn) && (err != nil || u.Hostname() == ""):
		return usageError("--store: this is not the URL of a CouchDB")
	case !store.IsCouchDB(s.dsn) && strings.Contains(s.dsn, "://"):
		return usageError("--store: the URL of a CouchDB begins with http:// or https://")
	}
	return nil
}

// home is where a task that has the store for itself finds what belongs to it; see openHome.
func (s site) home() string {
	if store.IsCouchDB(s.dsn) {
		return ""
	}
	return s.dsn
}

// missing reports whether there is no folder of this name.
func (s site) missing() bool {
	if store.IsCouchDB(s.dsn) {
		return false
	}
	_, err := os.Stat(s.dsn)
	return errors.Is(err, fs.ErrNotExist)
}

// socket is where the server of the store takes tasks; home is the folder of an embedded store, see openHome.
func (s site) socket(home string) string {
	if store.IsCouchDB(s.dsn) {
		return couchSocketFile(cmp.Or(s.stateDir, couchState), s.dsn)
	}
	return socketFile(home)
}
