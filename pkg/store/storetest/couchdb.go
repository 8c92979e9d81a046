package storetest

import (
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"testing"
)

// couchVariable names the CouchDB to test on, as http://user:password@host:port.
const couchVariable = "JUNCTOR_TEST_COUCHDB"

// runPrefix begins the names of Run's databases, so that it may share a CouchDB with anything. FreshCouch leaves them
// alone.
const runPrefix = "junctortest-"

// ownDatabases begins the names of those of this process.
var ownDatabases = runPrefix + strings.ToLower(rand.Text()[:8])

// sharedPeer is one server for all callers of CouchDSN in this process.
var sharedPeer = sync.OnceValues(func() (string, error) {
	dsn, _, err := startPeer()
	return dsn, err
})

// CouchDSN returns the address of a CouchDB that is shared with other tests: the one JUNCTOR_TEST_COUCHDB names,
// else a pouchdb-server started for this process. Where there is neither, the test is skipped; with CI=true it
// fails. On a named CouchDB the names of databases begin as NewPrefix says: those are removed when the last test that
// asked for the server ends, and left alone by FreshCouch.
func CouchDSN(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(couchVariable); dsn != "" {
		runUsers.enter()
		t.Cleanup(func() { runUsers.leave(t, dsn) })
		return dsn
	}
	skipShort(t)
	dsn, err := sharedPeer()
	if err != nil {
		unavailable(t, err)
	}
	return dsn
}

// skipShort spares "go test -short" the server that is started for the tests.
func skipShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("not over HTTP with -short, unless " + couchVariable + " names a CouchDB")
	}
}

// FreshCouch returns the address of an empty CouchDB that t has to itself until it ends: a test that needs
// databases by Kazoo's fixed names, as "accounts", asks for this one. Without JUNCTOR_TEST_COUCHDB it is a
// pouchdb-server of its own. A named CouchDB is handed from test to test, across processes, is emptied
// afterwards, and is refused where it holds databases that are not of these tests (see Claim).
func FreshCouch(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(couchVariable); dsn != "" {
		t.Cleanup(lock(t))
		if err := Claim(dsn); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := Wipe(dsn); err != nil {
				t.Error(err)
			}
		})
		return dsn
	}
	skipShort(t)
	dsn, stop, err := startPeer()
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(stop)
	return dsn
}

// unavailable skips t in one line, or fails it where somebody relies on it: a green run that tested nothing over
// HTTP must not happen unseen.
func unavailable(t testing.TB, err error) {
	t.Helper()
	const text = "no CouchDB to test on: set " + couchVariable + ", or install pouchdb-server into .tools (npm): %v"
	if os.Getenv("CI") == "true" {
		t.Fatalf(text, err)
	}
	t.Skipf(text, err)
}

// runUsers counts the tests that use a named CouchDB through CouchDSN.
var runUsers users

type users struct {
	sync.Mutex
	count int
}

func (u *users) enter() {
	u.Lock()
	defer u.Unlock()
	u.count++
}

// leave removes what this process made once nobody uses it any more.
func (u *users) leave(t testing.TB, dsn string) {
	u.Lock()
	defer u.Unlock()
	u.count--
	if u.count > 0 {
		return
	}
	err := drop(dsn, func(db string) bool { return strings.HasPrefix(db, ownDatabases) })
	if err != nil {
		t.Error(err)
	}
}

// nodesVariable names the nodes of a CouchDB cluster, separated by spaces or commas.
const nodesVariable = "JUNCTOR_TEST_COUCHDB_NODES"

// ClusterNodes returns the addresses of the nodes of a CouchDB cluster. It skips the test if there is none.
func ClusterNodes(t testing.TB) []string {
	t.Helper()
	nodes := strings.FieldsFunc(os.Getenv(nodesVariable), func(r rune) bool { return r == ' ' || r == ',' })
	if len(nodes) < 2 {
		t.Skip("no CouchDB cluster: set " + nodesVariable)
	}
	return nodes
}
