package main

import (
	"strings"
	"testing"

	"junctor/pkg/doctor"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// loadKazoo loads a real Kazoo's databases into a CouchDB.
func loadKazoo(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s := storetest.Open(t, dsn)
	testutil.LoadKazoo(t, s)
	return s
}

// TestDoctor: what it says, its exit code, and that it leaves nothing behind, no folder of state either.
func TestDoctor(t *testing.T) {
	t.Parallel()
	f, state := newFaultyCouch(t), t.TempDir()+"/state"
	s := loadKazoo(t, f.direct)
	args := []string{"doctor", "--store", f.url, "--state-dir", state}
	if text := ok(t, args...); !strings.Contains(text, "Kazoo's views") || !strings.HasPrefix(text, "CHECK ") {
		t.Errorf("printed\n%s", text)
	}
	var findings []doctor.Finding
	decode(t, ok(t, append(args, "--json")...), &findings)
	if len(findings) < 15 || doctor.Worst(findings) != doctor.OK {
		t.Errorf("found %v", findings)
	}
	if wrote := f.requests(isChange); len(wrote) > 0 || exists(state) {
		t.Errorf("it wrote: %v", wrote)
	}
	doc, err := s.Get(t.Context(), "system_config", "auth")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "system_config", "auth", doc.Rev()); err != nil {
		t.Fatal(err)
	}
	o := call(t, nil, args...)
	if o.code != 1 || o.stderr != "" || !strings.Contains(o.stdout, "broken") || !strings.Contains(o.stdout, "restart Kazoo") {
		t.Errorf("without settings: %+v", o)
	}
	for _, line := range strings.Split(o.stdout, "\n") {
		if len([]rune(line)) > 130 {
			t.Errorf("too wide: %s", line)
		}
	}
}

// TestDoctorAlone: a CouchDB that does not respond is a finding.
func TestDoctorAlone(t *testing.T) {
	t.Parallel()
	if o := call(t, nil, "doctor", "--store", "http://kazoo:secret@127.0.0.1:1"); o.code != 1 ||
		!strings.Contains(o.stdout, "CouchDB does not respond") || strings.Contains(o.stdout, "secret") {
		t.Errorf("nobody there: %+v", o)
	}
}
