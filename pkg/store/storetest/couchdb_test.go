package storetest

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestClaim: what a named CouchDB holds is somebody's, unless tests say that they made it.
func TestClaim(t *testing.T) {
	const accounts, beside = "accounts", runPrefix + "other"
	tests := []struct {
		name          string
		before, after []string
		refused       bool
	}{
		{name: "empty", after: []string{marker}},
		{name: "somebody's", before: []string{accounts}, after: []string{accounts}, refused: true},
		{name: "left by a run that broke off", before: []string{accounts, marker}, after: []string{marker}},
		{name: "beside a Run", before: []string{beside}, after: []string{marker, beside}},
		{name: "beside both", before: []string{accounts, beside}, after: []string{accounts, beside}, refused: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := newPeer(t)
			create(t, dsn, test.before...)
			if err := Claim(dsn); (err != nil) != test.refused {
				t.Errorf("claim: %v", err)
			}
			wantDatabases(t, dsn, test.after...)
		})
	}
}

// TestNamedCouchDB: FreshCouch leaves a named CouchDB as empty as it found it, but for a Run under way; CouchDSN
// removes what Run made, and nothing else.
func TestNamedCouchDB(t *testing.T) {
	dsn := newPeer(t)
	t.Setenv(couchVariable, dsn)
	const beside = runPrefix + "other"
	create(t, dsn, beside)
	t.Run("fresh", func(t *testing.T) {
		if got := FreshCouch(t); got != dsn {
			t.Errorf("got %s, want %s", got, dsn)
		}
		create(t, dsn, "accounts", "account/aa/bb/cc")
	})
	wantDatabases(t, dsn, beside)

	create(t, dsn, "accounts")
	t.Run("shared", func(t *testing.T) {
		if got := CouchDSN(t); got != dsn {
			t.Errorf("got %s, want %s", got, dsn)
		}
		t.Run("twice", func(t *testing.T) { CouchDSN(t) })
		create(t, dsn, ownDatabases+"/1", ownDatabases+"/1/later")
	})
	wantDatabases(t, dsn, "accounts", beside)
}

func TestFreshCouchIsEmpty(t *testing.T) {
	first := FreshCouch(t)
	create(t, first, "accounts")
	if os.Getenv(couchVariable) != "" {
		return // a second one would wait for this test to end
	}
	wantDatabases(t, FreshCouch(t))
	wantDatabases(t, first, "accounts")
}

// TestPeerEnds: a server ends with its standard input, as it does when the test process is gone, and leaves no files.
func TestPeerEnds(t *testing.T) {
	program, err := findPeer()
	if err != nil {
		unavailable(t, err)
	}
	dir := filepath.Join(t.TempDir(), "peer")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	dsn, stop, err := runPeer(program, dir)
	if err != nil {
		t.Fatal(err)
	}
	wantDatabases(t, dsn)
	stop()
	if _, err := databases(dsn); err == nil {
		t.Error("it still answers")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its files: %v", err)
	}
}

func TestPeerThatFails(t *testing.T) {
	t.Parallel()
	if _, _, err := runPeer("cat", t.TempDir()); err == nil || !strings.Contains(err.Error(), "unrecognized option") {
		t.Errorf("got %v", err)
	}
}

func newPeer(t *testing.T) string {
	t.Helper()
	dsn, stop, err := startPeer()
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(stop)
	return dsn
}

func create(t *testing.T, dsn string, names ...string) {
	t.Helper()
	for _, db := range names {
		if err := request(http.MethodPut, dsn, db, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// wantDatabases checks what there is besides CouchDB's own.
func wantDatabases(t *testing.T, dsn string, want ...string) {
	t.Helper()
	got, err := databases(dsn)
	if err != nil {
		t.Fatal(err)
	}
	got = slices.DeleteFunc(got, func(db string) bool { return strings.HasPrefix(db, "_") })
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("there is %q, want %q", got, want)
	}
}
