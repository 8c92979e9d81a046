package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// secretSource reads the password or key that an operator gives a task; "" is none. It is read where the operator
// is, and travels beside the arguments, of which only it knows where they are printed.
type secretSource func(*process) (string, error)

// passwordFlags defines how a password is given.
func passwordFlags(fs *flag.FlagSet) secretSource {
	stdin := fs.Bool("password-stdin", false, "read the password from standard input, whatever --password says")
	text := fs.String("password", "", "the user's password; given like this, everybody on this machine can see it in ps")
	return func(p *process) (string, error) {
		if *stdin {
			return p.readSecret()
		}
		return *text, nil
	}
}

// needPassword words what is missing where there is no password.
const needPassword = "needs a password: --password-stdin, JUNCTOR_PASSWORD, or --password"

// apiKeyFlags defines how the key of a cluster's API is given: not on the command line, where others can see it.
func apiKeyFlags(fs *flag.FlagSet) secretSource {
	stdin := fs.Bool("api-key-stdin", false, "read a key for the API of the cluster to add from standard input; "+
		"otherwise it is what JUNCTOR_CLUSTER_API_KEY says, if anything")
	return func(p *process) (string, error) {
		if *stdin {
			return p.readSecret()
		}
		return p.getenv("JUNCTOR_CLUSTER_API_KEY"), nil
	}
}

// maxSecret bounds what is read as a password or a key, in bytes.
const maxSecret = 4096

// readSecret reads the one line of standard input.
func (p *process) readSecret() (string, error) {
	text, err := io.ReadAll(io.LimitReader(p.stdin, maxSecret+int64(len("\r\n"))+1))
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if line == "" || len(line) > maxSecret || strings.ContainsAny(line, "\r\n") {
		return "", usageError(fmt.Sprintf("standard input: not one line of 1 to %d bytes", maxSecret))
	}
	return line, nil
}
