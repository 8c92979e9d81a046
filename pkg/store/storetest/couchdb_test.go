package storetest

import (
	"net/http"
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
