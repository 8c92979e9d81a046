package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"junctor/pkg/auth/seal"
	"junctor/pkg/statefile"
)

// keySource returns the key that seals our secrets in a store.
type keySource func() (*seal.Key, error)

// secretKey returns where to get the key of a store: from the environment, or else a file, which is made once it is
// needed and stays: a folder of state may serve more than one store. home is the folder of an embedded store, see
// openHome, and state that of a CouchDB's state.
func (c *cli) secretKey(home, state string) (keySource, error) {
	const variable = "JUNCTOR_SECRET_KEY"
	text, err := secretVariable(c.getenv, variable)
	if err != nil {
		return nil, err
	}
	if text != "" {
		key, err := seal.Parse(text)
		if err != nil {
			return nil, usageError(variable + ": " + err.Error() + "; \"openssl rand -base64 32\" makes one")
		}
		return func() (*seal.Key, error) { return key, nil }, nil
	}
	folder := cmp.Or(home, state)
	return func() (*seal.Key, error) {
		if folder == "" {
			return nil, fmt.Errorf("secret.key: %w, or the key itself with %s", errNoState, variable)
		}
		if err := statefile.CheckFolder(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return seal.ReadFile(keyFile(folder))
	}, nil
}

func keyFile(folder string) string { return filepath.Join(folder, "secret.key") }
