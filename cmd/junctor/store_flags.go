package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"junctor/pkg/fault"
	"junctor/pkg/notify"
	"junctor/pkg/statefile"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// storeFlags say which store to work on, and where to keep what belongs to it but has no place in it.
type storeFlags struct {
	dsn      string
	stateDir string // as given; empty if not given
	userDir  string // of a CouchDB's state if no stateDir is given; empty if the user has no home
}

// define defines --store and --state-dir. They are checked later, by check: an error of the flag set would repeat a
// password.
func (s *storeFlags) define(flags *pflag.FlagSet) {
	flags.StringVar(&s.dsn, "store", "./junctor-data",
		"`STORE`: a folder, memory:, or http(s)://USER:PASSWORD@HOST:PORT of a CouchDB")
	flags.StringVar(&s.stateDir, "state-dir", "", "`FOLDER` of a CouchDB's socket, secret.key and checkpoint of change "+
		"notices (default ~/.local/state/junctor), and of a memory: store's files (default a temporary one)")
	mark(flags, "store", isSecret, isLocal)
	mark(flags, "state-dir", isLocal)
}

// check refuses what can't be a store or a folder, and finds the default folder of state.
func (s *storeFlags) check(getenv func(string) string) error {
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
// never relative: secrets must not end up in whatever folder the user happens to be in.
func userStateDir(getenv func(string) string) string {
	if folder := getenv("XDG_STATE_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "junctor")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "junctor")
	}
	return ""
}

// home returns the folder of an embedded store, for a command other than serve; see openHome. It is "" for a CouchDB, and
// for a store in memory whose server's --state-dir is not known.
func (s storeFlags) home() string {
	switch {
	case store.IsCouchDB(s.dsn):
		return ""
	case s.dsn == embedded.Memory:
		return s.stateDir
	}
	return s.dsn
}

// state returns the folder of state of a CouchDB, or "" if there is none.
func (s storeFlags) state() string { return cmp.Or(s.stateDir, s.userDir) }

// errNoState says what to do where a folder of state is needed and there is none.
var errNoState = errors.New("there is no folder for it: give one with --state-dir")

// missing reports whether the store does not exist yet.
func (s storeFlags) missing() bool {
	if store.IsCouchDB(s.dsn) || s.dsn == embedded.Memory {
		return false
	}
	_, err := os.Lstat(embedded.File(s.dsn))
	return errors.Is(err, fs.ErrNotExist)
}

// owns reports whether path is a file of the store, or one that belongs to it. It may be yet to be made.
func (s storeFlags) owns(path string) bool {
	own := []string{s.socket(s.home())}
	for _, folder := range []string{s.home(), s.state()} {
		if folder != "" {
			own = append(own, embedded.File(folder), adminFile(folder), keyFile(folder),
				filepath.Join(folder, notify.CheckpointFile))
		}
	}
	return slices.ContainsFunc(own, func(name string) bool { return sameFile(name, path) })
}

// sameFile reports whether two paths are of one file, which need not be there.
func sameFile(a, b string) bool {
	infoA, _ := os.Stat(a)
	infoB, _ := os.Stat(b)
	a, _ = filepath.Abs(a)
	b, _ = filepath.Abs(b)
	return a == b || os.SameFile(infoA, infoB)
}

// checkHome refuses a folder that other users can write to, and one from which the store was lost: a new one would
// take its place, with another key and another administrator.
func (s storeFlags) checkHome(home string) error {
	if home == "" {
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

// socket returns the path of the admin socket of the store's server, or "" if there is no folder for one. home is the
// folder of an embedded store, see openHome.
func (s storeFlags) socket(home string) string {
	switch {
	case s.dsn == embedded.Memory && home == "":
		return ""
	case !store.IsCouchDB(s.dsn):
		return socketFile(home)
	case s.state() == "":
		return ""
	}
	return couchSocketFile(s.state(), s.dsn)
}

// socketFile returns the path of the socket of an embedded store.
func socketFile(home string) string { return filepath.Join(home, "junctor.sock") }

// couchSocketFile returns the path of the socket of a CouchDB in a folder of state, which may serve several. It depends
// on the CouchDB only, not on the user and password.
func couchSocketFile(stateDir, dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		u = &url.URL{} // check has refused it
	}
	sum := sha256.Sum256([]byte(u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")))
	return filepath.Join(stateDir, fmt.Sprintf("junctor-%x.sock", sum[:6]))
}

// explain adds to an error of a CouchDB which one it is and what to do.
func (s storeFlags) explain(err error) error {
	switch name := store.Redact(s.dsn); {
	case !store.IsCouchDB(s.dsn):
		return err
	case store.Refused(err):
		return fmt.Errorf("%s refuses the user and password in --store, or does not let that user write: correct them (%w)",
			name, err)
	case fault.Is(err, fault.DatastoreUnreachable):
		return fmt.Errorf("%s does not respond: check that it runs and that --store is its address (%w)", name, err)
	}
	return err
}

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
