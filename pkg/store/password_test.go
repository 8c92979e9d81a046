package store_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

const password = "s3cret/+ü"

func TestRedact(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"memory:":                             "memory:",
		"./junctor-data":                      "./junctor-data",
		"http://127.0.0.1:5984":               "http://127.0.0.1:5984",
		"http://admin@couch:5984/":            "http://admin@couch:5984/",
		"http://admin:s3cret@couch:5984/":     "http://admin:xxxxx@couch:5984/",
		"https://admin:a%2Fb%25@couch/db?x=1": "https://admin:xxxxx@couch/db?x=1",
		"http://admin:s3cret%zz@couch:5984":   "(not a URL)",
		"http://admin:s3cret@couch:port":      "(not a URL)",
		"https://admin:s3cret@[::1:5984":      "(not a URL)",
	}
	for dsn, want := range tests {
		if got := store.Redact(dsn); got != want {
			t.Errorf("%s: got %s, want %s", dsn, got, want)
		}
	}
}

func TestOpenKeepsPassword(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"http://admin:s3cret%zz@couch:5984", "http://admin:s3cret@couch:port"} {
		_, err := store.Open(dsn, store.Options{})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	allFail(t, withPassword("http://127.0.0.1:1"), fault.DatastoreUnreachable) // where nobody listens
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	allFail(t, withPassword(storetest.CouchDSN(t)), fault.DatastoreFault)
}

func withPassword(dsn string) string {
	u, _ := url.Parse(dsn)
	u.User = url.UserPassword("junctor-nobody", password)
	return u.String()
}

// allFail checks that every kind of call fails as kind, says why, and does not say the password.
func allFail(t *testing.T, dsn string, kind fault.Kind) {
	t.Helper()
	var mu sync.Mutex
	var observed []error
	s, err := store.Open(dsn, store.Options{Observe: func(c store.Call) {
		mu.Lock()
		defer mu.Unlock()
		observed = append(observed, c.Err)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	_, getErr := s.Get(ctx, "accounts", "a")
	_, putErr := s.Put(ctx, "accounts", document.Document{"_id": "a"})
	_, manyErr := s.GetMany(ctx, "accounts", []string{"a", "b"})
	_, existsErr := s.DatabaseExists(ctx, "accounts")
	viewErr := s.View(ctx, "accounts", "d", "v", store.Query{}, func(store.Row) error { return nil })
	errs := map[string]error{
		"ping": s.Ping(ctx), "get": getErr, "put": putErr, "get many": manyErr, "view": viewErr,
		"exists": existsErr, "create": s.CreateDatabase(ctx, "accounts"),
	}
	for call, err := range errs {
		if !fault.Is(err, kind) {
			t.Errorf("%s: want %s, got %v", call, kind, err)
			continue
		}
		for _, secret := range []string{password, url.QueryEscape(password), url.PathEscape(password), "s3cret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the password is in %q", call, err)
			}
		}
	}
	if len(observed) != len(errs) {
		t.Errorf("%d calls were observed: %v", len(observed), observed)
	}
}
