package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// asProgram makes the test binary the program itself.
const asProgram = "JUNCTOR_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestSmoke runs the real programs on an embedded store and a CouchDB. That the plain implementation responds with the
// same data as junctor they check themselves.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts many programs")
	}
	t.Parallel()
	couch := storetest.FreshCouch(t)
	temporary := t.TempDir()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), own, "--junctor", testutil.BuildJunctor(t),
		"--sizes", "300", "--couchdb-sizes", "300", "--rounds", "1", "--turn", "20ms")
	cmd.Env = append(os.Environ(), asProgram+"=1", couchVariable+"="+couch, "TMPDIR="+temporary)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	t.Log(stdout.String())
	if strings.Contains(stdout.String(), "NaN") || strings.Contains(stdout.String(), "Inf") {
		t.Error("something was not measured")
	}
	for what, times := range map[string]int{
		"\n## Embedded, ": 2, "\n## CouchDB, ": 2, "| GET one IP": 2, "| GET assigned, 25 rows": 2, "| GET zones": 2,
		"| GET available, a page of 50": 2, "| assign and release": 4, "| allocate and release": 2,
		"| GET routing lookup": 2, "Start to the first response: ": 4, "At half the rate, ": 2,
	} {
		if got := strings.Count(stdout.String(), what); got != times {
			t.Errorf("%d times %q, and not %d", got, what, times)
		}
	}
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestCanned: the bare handler sends the bytes that junctor sent.
func TestCanned(t *testing.T) {
	t.Parallel()
	header := http.Header{"Etag": {`"1"`}, "Date": {"then"}}
	setup, err := json.Marshal(canned{"/v2/ips/{ip}", header, []byte(`{"data":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	h, err := newCanned(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	var body bytes.Buffer
	header, err = newClient().send(t.Context(), http.MethodGet, s.URL+"/v2/ips/192.0.2.1", "", "", &body)
	if err != nil || body.String() != `{"data":1}` || header.Get("Etag") != `"1"` || header.Get("Date") == "then" {
		t.Errorf("%v, %q, %v", header, body.String(), err)
	}
	if _, err := newClient().send(t.Context(), http.MethodGet, s.URL+"/v2/other", "", "", io.Discard); err == nil {
		t.Error("another route is served")
	}
}

// TestPlainRefuses: the plain implementation checks tokens, and what they may read.
func TestPlainRefuses(t *testing.T) {
	t.Parallel()
	couch := storetest.FreshCouch(t)
	w := (&bench{folder: t.TempDir()}).newWorld(couch, fewest, 0)
	if err := w.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	setup, err := json.Marshal(couch)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newPlain(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	own, other := w.tenants[0], w.tenants[1]
	lookup := "/v2/routing/lookup?direction=inbound&ip=10.0.0.1"
	for _, test := range []struct {
		path, token string
		want        int
	}{
		{own.ips() + "/zones", own.token, http.StatusOK},
		{own.ips() + "/zones", w.admin, http.StatusOK},
		{own.ips() + "/zones", "", http.StatusUnauthorized},
		{own.ips() + "/zones", own.token[:len(own.token)-8], http.StatusUnauthorized},
		{other.ips() + "/zones", own.token, http.StatusForbidden},
		{own.ips() + "/" + address(heldEach), own.token, http.StatusNotFound}, // the other one's
		{own.ips() + "/192.0.2.1", own.token, http.StatusNotFound},
		{lookup, own.token, http.StatusForbidden},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil)
		r.Header.Set("X-Auth-Token", test.token)
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		if recorder.Code != test.want {
			t.Errorf("%s: %d, and not %d: %s", test.path, recorder.Code, test.want, recorder.Body)
		}
	}
}

// TestRatio: a ratio is of operations that were measured in the same round.
func TestRatio(t *testing.T) {
	t.Parallel()
	r := row{samples: [columns][]sample{
		junctor: {{rate: 100}, {rate: 10}, {rate: 90}}, bare: {{rate: 200}, {rate: 20}, {rate: 900}},
	}}
	if got := r.ratio(bare); got != 0.5 {
		t.Error(got)
	}
	if got := r.rate(junctor); got != 90 {
		t.Error(got)
	}
}

// TestAttackFails: a response that is no success is an error.
func TestAttackFails(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if _, err := attack(t.Context(), s.URL, []target{{path: "/"}}, 1000, 20*time.Millisecond); err == nil {
		t.Error("no error")
	}
}

// TestDifference: what differs between two files, applied to the first, makes it equal to the second.
func TestDifference(t *testing.T) {
	t.Parallel()
	before := boltFile(t, map[string]string{"a/1": "x", "a/2": "x", "a/b/3": "x", "a/b/5": "x", "c/9": "x"})
	after := boltFile(t, map[string]string{"a/1": "x", "a/2": "y", "a/b/4": "", "a/b/5": "x", "c/8": "z", "c/9": "x"})
	entries, err := difference(before, after)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%v, %v", entries, err)
	}
	db, err := openBolt(before, false)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return apply(tx, entries) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if entries, err := difference(before, after); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// boltFile makes a file of values by path.
func boltFile(t *testing.T, values map[string]string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "db")
	db, err := openBolt(file, false)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for path, value := range values {
			parts := strings.Split(path, "/")
			in, last := tx.Cursor().Bucket(), len(parts)-1
			for _, name := range parts[:last] {
				if in, err = in.CreateBucketIfNotExists([]byte(name)); err != nil {
					return err
				}
			}
			if err := in.Put([]byte(parts[last]), []byte(value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}
