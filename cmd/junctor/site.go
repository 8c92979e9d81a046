package main

import (
	"flag"
	"net/url"

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
	fs.StringVar(&s.stateDir, "state-dir", "", "folder of a CouchDB's secret.key, unless JUNCTOR_SECRET_KEY is set "+
		"(none: ./junctor-state), of a memory: store's files (none: a temporary one), and of notices that wait")
}

// check refuses what can't be a store. It does not repeat the URL of a CouchDB: there may be a password in it.
func (s site) check() error {
	if s.dsn == "" {
		return usageError("--store: a store has a name")
	}
	if u, err := url.Parse(s.dsn); store.IsCouchDB(s.dsn) && (err != nil || u.Hostname() == "") {
		return usageError("--store: this is not the URL of a CouchDB")
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
