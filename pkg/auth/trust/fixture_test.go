package trust_test

import (
	"bytes"
	"encoding/base64"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth/seal"
	"junctor/pkg/auth/trust"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
)

const (
	clusterA = "0c6859db6813a0a4507b07b3491e1d9e"
	clusterB = "c6859db6813a0a4507b07b3491e1d9e6"
	urlA     = "https://a.example.com:8443/v2"
	urlB     = "http://b.example.com/v2"
	apiKey   = "667eb8ad78181282ae4d609e6a33ef08634f3dfc3819b5edc9478a96b338ddb0"
)

var start = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// clock is moved by hand.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time { return start.Add(time.Duration(c.passed.Load())) }

// stores are what a registry has to work on.
var stores = map[string]func(t *testing.T) *store.Store{
	"memory":  func(t *testing.T) *store.Store { return open(t, "memory:") },
	"file":    func(t *testing.T) *store.Store { return open(t, t.TempDir()) },
	"couchdb": func(t *testing.T) *store.Store { return open(t, storetest.FreshCouch(t)) },
}

// open returns a store in which the registry is installed.
func open(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s := storetest.Open(t, dsn)
	for range 2 { // the second finds all there
		if err := s.CreateDatabase(t.Context(), trust.Database); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func key(b byte) func() (*seal.Key, error) {
	return func() (*seal.Key, error) {
		return seal.Parse(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)))
	}
}

func registry(s *store.Store, c *clock) *trust.Registry {
	return trust.NewRegistry(s, trust.Options{Now: c.now, Key: key(7)})
}

func add(t *testing.T, r *trust.Registry, id, url, apiKey string) {
	t.Helper()
	if _, err := r.Add(t.Context(), id, url, apiKey); err != nil {
		t.Fatal(err)
	}
}
