package main

import (
	"flag"
	"fmt"
	"io"
	"os"
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
const needPassword = "needs a password: --password-stdin, JUNCTOR_PASSWORD, JUNCTOR_PASSWORD_FILE or --password"

// apiKeyFlags defines how the key of a cluster's API is given: not on the command line, where others can see it.
func apiKeyFlags(fs *flag.FlagSet) secretSource {
	stdin := fs.Bool("api-key-stdin", false, "read a key for the API of the cluster to add from standard input; "+
		"otherwise it is what JUNCTOR_CLUSTER_API_KEY says, if anything")
	return func(p *process) (string, error) {
		if *stdin {
			return p.readSecret()
		}
		return secretVariable(p.getenv, "JUNCTOR_CLUSTER_API_KEY")
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
	line := withoutNewline(string(text))
	if line == "" || len(line) > maxSecret || strings.ContainsAny(line, "\r\n") {
		return "", usageError(fmt.Sprintf("standard input: not one line of 1 to %d bytes", maxSecret))
	}
	return line, nil
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
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+int64(len("\r\n"))+1))
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	value = withoutNewline(string(text))
	if value == "" || len(value) > maxSecret || strings.ContainsAny(value, "\r\n") {
		return "", usageError(fmt.Sprintf("%s_FILE: %s does not hold one line of 1 to %d bytes", name, fileName, maxSecret))
	}
	return value, nil
}

// withoutNewline removes one newline at the end of a text.
func withoutNewline(text string) string {
	line, found := strings.CutSuffix(text, "\n")
	if found {
		line = strings.TrimSuffix(line, "\r")
	}
	return line
}
