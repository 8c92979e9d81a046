package main

import (
	"net/http"
	"sync"
	"testing"

	"junctor/pkg/testutil"
)

// TestHungStoreIsNotWaitedFor is about R4: while the store hangs, requests with a token are served from memory for
// --max-staleness, and then get a 503 after a few seconds, whatever they ask for and however many they are.
func TestHungStoreIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFaultyCouch(t)
	s, admin := onCouch(t, f, "--max-staleness", "2s")
	token := s.login(admin.APIKey)
	s.create(token, "1.2.3.4", "z")
	ask := func(path string) (status int) { // a call of the store takes at most 5 s
		status, _, err := s.sendApart("GET", path, token, "")
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return status
	}
	const address = "/v2/ips/1.2.3.4"
	if status := ask(address); status != http.StatusOK {
		t.Errorf("before: %d", status)
	}
	f.hang(t)
	testutil.Eventually(t, "memory to be too old", func() bool { return ask(address) != http.StatusOK })
	var all sync.WaitGroup
	for _, path := range []string{address, "/v2/ips", "/v2/ips/zones", "/v2/routing/customer_cluster"} {
		for range 5 {
			all.Go(func() {
				if status := ask(path); status != http.StatusServiceUnavailable {
					t.Errorf("%s: %d", path, status)
				}
			})
		}
	}
	all.Wait()
}
