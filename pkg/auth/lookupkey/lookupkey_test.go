package lookupkey_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"junctor/pkg/auth/lookupkey"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

var created = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func registry(t *testing.T, dsn string) (*lookupkey.Registry, *store.Store) {
	t.Helper()
	s := storetest.Open(t, dsn)
	if err := s.CreateDatabase(t.Context(), lookupkey.Database); err != nil {
		t.Fatal(err)
	}
	return lookupkey.NewRegistry(s, func() time.Time { return created }), s
}

// TestLifeOfAKey: a key is valid until it is removed, and only as it was printed.
func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"memory": "memory:", "couchdb": storetest.FreshCouch(t)} {
		r, s := registry(t, dsn)
		if keys, err := r.List(t.Context()); len(keys) > 0 || err != nil {
			t.Errorf("%s: at first: %v, %v", name, keys, err)
		}
		east, err := r.Create(t.Context(), "east")
		if err != nil {
			t.Fatal(err)
		}
		west, err := r.Create(t.Context(), "west-1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Create(t.Context(), "east")
		testutil.RequireFault(t, err, fault.Conflict)
		keys, err := r.List(t.Context())
		if got := fmt.Sprint(keys); err != nil || got != "[{east 63963000000} {west-1 63963000000}]" {
			t.Errorf("%s: listed %s, %v", name, got, err)
		}
		for key, want := range map[string]string{east: "east", west: "west-1"} {
			if got, err := lookupkey.Verify(t.Context(), s, key); got != want || err != nil || !lookupkey.Is(key) {
				t.Errorf("%s: %s is %q, %v", name, want, got, err)
			}
		}
		_, secret, _ := strings.Cut(strings.TrimPrefix(east, "lookup."), ".")
		for _, key := range []string{
			"lookup.west-1." + secret, "lookup.none." + secret, "lookup.east.", "lookup.east", "lookup.", "lookup..", east + "x",
		} {
			_, err := lookupkey.Verify(t.Context(), s, key)
			testutil.RequireFault(t, err, fault.BadIdentifier)
		}
		doc, err := s.Get(t.Context(), lookupkey.Database, "lookup_keys")
		if err != nil || strings.Contains(fmt.Sprint(doc), secret) {
			t.Errorf("%s: the store holds %v, %v", name, doc, err)
		}
		if err := r.Remove(t.Context(), "east"); err != nil {
			t.Fatal(err)
		}
		_, err = lookupkey.Verify(t.Context(), s, east)
		testutil.RequireFault(t, err, fault.BadIdentifier)
		testutil.RequireFault(t, r.Remove(t.Context(), "east"), fault.BadIdentifier)
	}
}

// TestNoKeys: where no key was ever made there is nothing to list, and nothing is verified.
func TestNoKeys(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, "memory:")
	if keys, err := lookupkey.NewRegistry(s, time.Now).List(t.Context()); len(keys) > 0 || err != nil {
		t.Errorf("%v, %v", keys, err)
	}
	_, err := lookupkey.Verify(t.Context(), s, "lookup.east.x")
	testutil.RequireFault(t, err, fault.BadIdentifier)
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, valid := range map[string]bool{
		"a": true, "kamailio-1": true, "9_": true, "": false, "A": false, "a b": false, "a.b": false, "-a": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		if err := lookupkey.CheckName(name); (err == nil) != valid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
