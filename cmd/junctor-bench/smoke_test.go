package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"junctor/pkg/store/storetest"
)

// TestSmoke runs the real programs, on an embedded store and a CouchDB. That figures are sane the program sees to
// itself; here it is about their all being there, and nothing being left.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts many programs")
	}
	t.Parallel()
	couch := storetest.FreshCouch(t)
	folder, temporary := t.TempDir(), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder+"/", "../junctor", ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(folder, "junctor-bench"),
		"--smoke", "--junctor", filepath.Join(folder, "junctor"))
	cmd.Env = append(os.Environ(), couchVariable+"="+couch, "TMPDIR="+temporary)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	t.Log("\n" + stdout.String())
	for _, where := range []string{"embedded, 300", "embedded, 600", "CouchDB, 300"} {
		for _, what := range expected(where) {
			if !hasRow(stdout.String(), what, where, "") {
				t.Errorf("no row of %q, %s", what, where)
			}
		}
	}
	for _, where := range []string{"embedded, 300", "embedded, 600"} {
		if !hasRow(stdout.String(), fmt.Sprintf("assign + release, %d clients", writers), where, "bare bbolt") {
			t.Errorf("no bbolt beside %s", where)
		}
	}
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v, left: %q", err, left)
	}
}

// expected is what is measured of a store of some size. Allocations are measured where they are served.
func expected(where string) []string {
	what := []string{lookup.what, "assign + release, 1 client", fmt.Sprintf("assign + release, %d clients", writers),
		"pool: start to first answer", "pool: RssAnon after all this", "pool: file"}
	if strings.HasPrefix(where, "CouchDB") {
		what = append(what[:3], "pool and routing: start to first answer", "pool and routing: RssAnon after all this")
	}
	for _, r := range poolReads {
		what = append(what, r.what)
	}
	return what
}

func hasRow(table, what, where, beside string) bool {
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) > 6 && strings.TrimSpace(cells[1]) == what && strings.TrimSpace(cells[2]) == where &&
			strings.Contains(cells[6], beside) {
			return strings.ContainsAny(cells[3], "123456789")
		}
	}
	return false
}
