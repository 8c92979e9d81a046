package main

import (
	"cmp"
	"path/filepath"

	"junctor/pkg/auth/seal"
)

// keySource answers the key that our own secrets in a store are sealed with.
type keySource func() (*seal.Key, error)

// couchState is --state-dir where the store is a CouchDB and none is given.
const couchState = "./junctor-state"

// secretKey answers where to get the key of a store: from the environment, or else a file, which is made once it is
// needed and stays: a folder of state may serve more than one store. home is the folder of an embedded store, see
// openHome.
func (p *process) secretKey(home, stateDir string) (keySource, error) {
	const variable = "JUNCTOR_SECRET_KEY"
	if text := p.getenv(variable); text != "" {
		key, err := seal.Parse(text)
		if err != nil {
			return nil, usageError(variable + ": " + err.Error())
		}
		return func() (*seal.Key, error) { return key, nil }, nil
	}
	file := keyFile(cmp.Or(home, stateDir, couchState))
	return func() (*seal.Key, error) { return seal.ReadFile(file) }, nil
}

func keyFile(folder string) string { return filepath.Join(folder, "secret.key") }
