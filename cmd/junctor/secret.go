package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"junctor/pkg/auth/seal"
	"junctor/pkg/statefile"
)

// definePassword defines how a password is given, and returns what reads it.
func (c *cli) definePassword(cmd *cobra.Command) (input func([]string) (string, error)) {
	stdin := cmd.Flags().Bool("password-stdin", false, "read the password from standard input; it wins over --password")
	text := cmd.Flags().String("password", "", "`PASSWORD` of the user; as a flag it can be seen by everybody on this machine")
	mark(cmd.Flags(), "password-stdin", isLocal)
	mark(cmd.Flags(), "password", isSecret, isLocal)
	return func([]string) (string, error) {
		if *stdin {
			return c.readSecret()
		}
		return *text, nil
	}
}

// needPassword words what is missing where there is no password.
const needPassword = "needs a password: --password-stdin, JUNCTOR_PASSWORD, JUNCTOR_PASSWORD_FILE or --password"

// defineAPIKey defines how the key of a cluster's API is given, and returns what reads it. There is no flag for the key
// itself: other users of the machine could see it.
func (c *cli) defineAPIKey(cmd *cobra.Command) (input func([]string) (string, error)) {
	stdin := cmd.Flags().Bool("api-key-stdin", false, "read a key for the cluster's API from standard input instead of "+
		"JUNCTOR_CLUSTER_API_KEY")
	mark(cmd.Flags(), "api-key-stdin", isLocal)
	return func([]string) (string, error) {
		if *stdin {
			return c.readSecret()
		}
		return secretVariable(c.getenv, "JUNCTOR_CLUSTER_API_KEY")
	}
}

// readSecret reads a secret from standard input.
func (c *cli) readSecret() (string, error) {
	text, err := readLine(c.stdin)
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	return text, nil
}

// secretVariable returns the value of an environment variable, or the content of the file that NAME_FILE names. One
// newline at its end is removed: files and shells add it, and no secret ends in one. It is empty if neither is set.
func secretVariable(getenv func(string) string, name string) (string, error) {
	value, fileName := withoutNewline(getenv(name)), getenv(name+"_FILE")
	if fileName == "" {
		return value, nil
	}
	if value != "" {
		return "", usageError(fmt.Sprintf("%s and %s_FILE are both set: set one of them", name, name))
	}
	file, err := os.Open(fileName)
	if err == nil {
		defer file.Close()
		value, err = readLine(file)
	}
	if err != nil {
		return "", fmt.Errorf("%s_FILE=%s: %w", name, fileName, err)
	}
	return value, nil
}

// maxSecret bounds a password or a key, in bytes.
const maxSecret = 4096

// readLine reads a text of one line.
func readLine(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSecret+int64(len("\r\n"))+1))
	if err != nil {
		return "", err
	}
	line := withoutNewline(string(text))
	if line == "" || len(line) > maxSecret || strings.ContainsAny(line, "\r\n") {
		return "", usageError(fmt.Sprintf("it does not hold one line of 1 to %d bytes", maxSecret))
	}
	return line, nil
}

// withoutNewline removes one newline at the end of a text.
func withoutNewline(text string) string {
	line, found := strings.CutSuffix(text, "\n")
	if found {
		line = strings.TrimSuffix(line, "\r")
	}
	return line
}

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
