package embedded

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-kivik/kivik/v4"
	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
)

// openStore opens a store that is closed with the test.
func openStore(t testing.TB, path string) *kivik.Client {
	t.Helper()
	client, err := Open(path, zerolog.Nop())
	if err != nil {
		t.Fatalf("Open(%q): %v", path, err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return client.Client
}

// newDB makes a database in a store of its own.
func newDB(t testing.TB) *kivik.DB {
	t.Helper()
	return createDB(t, openStore(t, Memory), "db")
}

func createDB(t testing.TB, client *kivik.Client, name string) *kivik.DB {
	t.Helper()
	if err := client.CreateDB(t.Context(), name); err != nil {
		t.Fatalf("CreateDB(%q): %v", name, err)
	}
	return client.DB(name)
}

func put(t testing.TB, db *kivik.DB, id, doc string) (rev string) {
	t.Helper()
	rev, err := db.Put(t.Context(), id, json.RawMessage(doc))
	if err != nil {
		t.Fatalf("Put(%q, %s): %v", id, doc, err)
	}
	return rev
}

// get reads a document as it is spelled.
func get(t testing.TB, db *kivik.DB, id string, options ...kivik.Option) string {
	t.Helper()
	var doc json.RawMessage
	if err := db.Get(t.Context(), id, options...).ScanDoc(&doc); err != nil {
		t.Fatalf("Get(%q): %v", id, err)
	}
	return string(doc)
}

// wantError checks the status of an error and that its text holds a piece.
func wantError(t testing.TB, err error, status int, piece string) {
	t.Helper()
	if got := kivik.HTTPStatus(err); got != status || status != 0 && !strings.Contains(err.Error(), piece) {
		t.Errorf("error is %v (%d), want %d with %q", err, got, status, piece)
	}
}

// listing reads a result set to its end: a line a row.
func listing(t testing.TB, rs *kivik.ResultSet) []string {
	t.Helper()
	lines := []string{}
	for rs.Next() {
		key, _ := rs.Key()
		id, _ := rs.ID()
		var value json.RawMessage
		if err := rs.ScanValue(&value); err != nil {
			lines = append(lines, key+" "+err.Error())
			continue
		}
		lines = append(lines, strings.TrimSpace(key+" "+id+" "+string(value)))
	}
	if err := rs.Err(); err != nil {
		t.Fatalf("rows: %v", err)
	}
	return lines
}

func TestOpenKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a", "store")
	client, err := Open(folder, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	rev := put(t, createDB(t, client.Client, "account/ab/cd/ef"), "x", `{"a":1,"_attachments":{"f":{"data":"aGVsbG8="}}}`)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	db := openStore(t, folder).DB("account/ab/cd/ef")
	if got := get(t, db, "x"); !strings.HasPrefix(got, `{"_id":"x","_rev":"`+rev+`","a":1,`) {
		t.Errorf("after reopening it is %s, want revision %q", got, rev)
	}
	if got := readFile(t, db, "x", "f"); got != "application/octet-stream hello" {
		t.Errorf("the attachment is %q", got)
	}
	for path, mode := range map[string]os.FileMode{folder: 0o700, filepath.Join(folder, fileName): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v (%v), want %v", path, info.Mode().Perm(), err, mode)
		}
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	writeBolt := func(fill func(*bolt.Tx) error) func(string) error {
		return func(file string) error {
			db, err := bolt.Open(file, 0o600, nil)
			if err != nil {
				return err
			}
			defer db.Close()
			return db.Update(fill)
		}
	}
	for name, test := range map[string]struct {
		make func(file string) error
		want string
	}{
		"text": {
			func(file string) error { return os.WriteFile(file, []byte(strings.Repeat("no store ", 2000)), 0o600) },
			"can't be used",
		},
		"empty": { // P6
			func(file string) error { return os.WriteFile(file, nil, 0o600) },
			"it is empty; restore it from a backup",
		},
		"folder": {
			func(file string) error { return os.Mkdir(file, 0o700) },
			"is a directory",
		},
		"another bbolt file": {
			writeBolt(func(tx *bolt.Tx) error {
				_, err := tx.CreateBucket([]byte("mine"))
				return err
			}),
			"is not a junctor store",
		},
		"newer format": {
			writeBolt(func(tx *bolt.Tx) error {
				if err := createLayout(tx); err != nil {
					return err
				}
				return tx.Bucket(metaBucket).Put(formatKey, []byte("3"))
			}),
			`has format "3", and this junctor reads formats 1 to 2`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := test.make(filepath.Join(folder, fileName)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(folder, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open: %v, want %q", err, test.want)
			}
		})
	}
}

func TestMemoryLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	put(t, createDB(t, openStore(t, Memory), "db"), "x", `{}`)
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("temporary folder holds %v (%v)", left, err)
	}
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := openStore(t, Memory)
	for _, name := range []string{"b", "account/0f/aa/bb-202401", "a$_(x)+"} {
		createDB(t, client, name)
		if exists, err := client.DBExists(ctx, name); !exists || err != nil {
			t.Errorf("DBExists %s: %t, %v", name, exists, err)
		}
	}
	for _, name := range []string{"", "A", "1a", "a b", "_x", "_users", "a%2f", "ä", strings.Repeat("a", 239)} {
		wantError(t, client.CreateDB(ctx, name), http.StatusBadRequest, "Only lowercase characters")
	}
	wantError(t, client.CreateDB(ctx, "b"), http.StatusPreconditionFailed, "already exists")
	if exists, err := client.DBExists(ctx, "c"); exists || err != nil {
		t.Errorf("DBExists: %t, %v", exists, err)
	}
	if up, err := client.Ping(ctx); !up || err != nil {
		t.Errorf("Ping: %t, %v", up, err)
	}
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client, err := Open(Memory, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	db := createDB(t, client.Client, "db")
	put(t, db, "x", `{}`)
	rows := db.AllDocs(ctx)
	closed := make(chan error)
	go func() { closed <- client.Close() }()
	if !rows.Next() { // Close waits for it
		t.Errorf("the result set ended: %v", rows.Err())
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	_, putErr := db.Put(ctx, "x", map[string]any{})
	for _, err := range []error{putErr, db.Get(ctx, "x").Err(), db.AllDocs(ctx).Err(), db.Changes(ctx).Err()} {
		wantError(t, err, http.StatusServiceUnavailable, "closed")
	}
	if err := client.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
