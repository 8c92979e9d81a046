package adminsocket

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// A connection begins with a line from each side that says which program it is. The two must be of the same version:
// the server parses the sender's arguments, and would refuse a flag that it does not know as a mistake of the operator.

const (
	greetingPrefix = "junctor-admin "
	maxGreeting    = 256 // bytes
)

func greeting(version string) string { return greetingPrefix + version + "\n" }

// readVersion reads the other side's line.
func readVersion(r *bufio.Reader) (version string, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	version, found := strings.CutPrefix(strings.TrimSuffix(string(line), "\n"), greetingPrefix)
	if !found {
		return "", errFrame
	}
	return version, nil
}

// versionError explains that the server is of another version.
func versionError(server, own string) error {
	return fmt.Errorf("the server of this store is junctor %s and this is junctor %s: restart the server, or use the "+
		"executable that it runs", server, own)
}

// errSilent explains that the server ended the connection before the greeting.
var errSilent = errors.New("the server of this store accepts no command: it is stopping, or it is of an older version, " +
	"and then has to be restarted")
