package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// marker is the database that says: everything here was made by tests. It is there only while they run, and
// after a run that broke off.
const marker = "junctor_tests"

// lockWait is how long a test waits for the others that want the named CouchDB to themselves.
const lockWait = 10 * time.Minute

// lock makes the tests of all processes that need a named CouchDB for themselves take turns. A bbolt file is the
// lock: it waits, and it goes when its process does.
func lock(t testing.TB) (unlock func()) {
	t.Helper()
	name := filepath.Join(os.TempDir(), "junctor-test-couchdb.lock")
	held, err := bbolt.Open(name, 0o600, &bbolt.Options{Timeout: lockWait})
	if err != nil {
		t.Fatalf("waiting for other tests to be done with the CouchDB: %v", err)
	}
	return func() { _ = held.Close() }
}

// Claim takes possession of a CouchDB that is empty, or that a broken-off run of tests has left its marker in; it
// is empty then. Any other is somebody's, and is refused.
func Claim(dsn string) error {
	names, err := databases(dsn)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(db string) bool { return !removable(db) })
	if len(names) > 0 && !slices.Contains(names, marker) {
		return fmt.Errorf("the CouchDB that %s names holds %d databases that no test made (%s, …): tests would "+
			"delete them. Name an empty one, or, if nothing in it matters, create a database %q there",
			couchVariable, len(names), names[0], marker)
	}
	if err := Wipe(dsn); err != nil {
		return err
	}
	return mark(dsn)
}

// mark makes the marker, which is known not to be there. For a moment after a database was deleted a CouchDB says that
// it exists. The marker goes last, so once it can be made all others are known to be gone, too.
func mark(dsn string) error {
	for end := time.Now().Add(markWait); ; time.Sleep(10 * time.Millisecond) {
		err := request(http.MethodPut, dsn, marker, nil)
		if !errors.Is(err, errExists) || time.Now().After(end) {
			return err
		}
	}
}

const markWait = 20 * time.Second

// errExists is what a CouchDB says to somebody who makes a database that it has.
var errExists = errors.New("it exists already")

// Wipe leaves a claimed CouchDB empty. The marker goes last, so that it is there as long as anything else is.
func Wipe(dsn string) error {
	if err := drop(dsn, func(db string) bool { return removable(db) && db != marker }); err != nil {
		return err
	}
	return drop(dsn, func(db string) bool { return db == marker })
}

// removable is every database but CouchDB's own and those of a Run that may be under way.
func removable(db string) bool {
	return !strings.HasPrefix(db, "_") && !strings.HasPrefix(db, runPrefix)
}

// drop deletes the databases that which picks. Store has no such method: nothing in the product deletes one.
func drop(dsn string, which func(db string) bool) error {
	names, err := databases(dsn)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(db string) bool { return !which(db) })
	errs := make([]error, len(names))
	turns := make(chan struct{}, dropsAtOnce)
	var all sync.WaitGroup
	for i, db := range names {
		turns <- struct{}{}
		all.Go(func() {
			errs[i] = request(http.MethodDelete, dsn, db, nil)
			<-turns
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// dropsAtOnce is how many databases are deleted at once: a CouchDB waits for its disk, and there may be thousands.
const dropsAtOnce = 8

func databases(dsn string) (names []string, err error) {
	return names, request(http.MethodGet, dsn, "_all_dbs", &names)
}

// request asks a CouchDB for something about one of its databases. Errors name no password: net/http hides it.
func request(method, dsn, db string, answer any) error {
	path := strings.ReplaceAll(url.PathEscape(db), "+", "%2B") // which a CouchDB would take for a space
	r, err := http.NewRequest(method, strings.TrimRight(dsn, "/")+"/"+path, nil)
	if err != nil {
		return fmt.Errorf("%s is not a URL", couchVariable)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusPreconditionFailed {
		return fmt.Errorf("%s %s: %w", method, db, errExists)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, db, response.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
