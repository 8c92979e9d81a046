package trust_test

import (
	"errors"
	"strings"
	"testing"

	"junctor/pkg/auth/seal"
	"junctor/pkg/auth/trust"
	"junctor/pkg/document"
)

func TestAPIKey(t *testing.T) {
	t.Parallel()
	s, c := open(t, "memory:"), &clock{}
	r := registry(s, c)
	add(t, r, clusterA, urlA, apiKey)
	add(t, r, clusterB, urlB, "")
	if got, err := r.APIKey(t.Context(), clusterA); err != nil || got != apiKey {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := r.APIKey(t.Context(), clusterB); err != nil || got != "" {
		t.Errorf("got %q, %v, want none", got, err)
	}
	wrong := trust.NewRegistry(s, trust.Options{Now: c.now, Key: key(8)})
	wantNoKey(t, wrong, clusterA)
	move := func(doc document.Document) error {
		a, err := s.Get(t.Context(), trust.Database, clusterA)
		doc["pvt_api_key"] = a["pvt_api_key"]
		return err
	}
	if _, err := s.Update(t.Context(), trust.Database, clusterB, move); err != nil {
		t.Fatal(err)
	}
	wantNoKey(t, r, clusterB) // a key moved into another cluster's document
}

func wantNoKey(t *testing.T, r *trust.Registry, id string) {
	t.Helper()
	if got, err := r.APIKey(t.Context(), id); err == nil || got != "" || strings.Contains(err.Error(), apiKey) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestKeyOnlyWhenNeeded: a registry without API keys needs no key to seal them with.
func TestKeyOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	s := open(t, "memory:")
	lost := errors.New("the key is lost")
	for _, o := range []trust.Options{{}, {Key: func() (*seal.Key, error) { return nil, lost }}} {
		r := trust.NewRegistry(s, o)
		add(t, r, clusterA, urlA, "")
		if err := r.Remove(t.Context(), clusterA); err != nil {
			t.Error(err)
		}
		if _, err := r.Add(t.Context(), clusterA, urlA, apiKey); err == nil || o.Key != nil && !errors.Is(err, lost) {
			t.Errorf("got %v", err)
		}
		wantClusters(t, r)
	}
}
