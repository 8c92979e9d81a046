package main

import (
	"fmt"
	"testing"

	"junctor/pkg/testutil"
)

// TestPoolHealth: a server tells how it is, and lists accounts and addresses as soon as they are there.
func TestPoolHealth(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	token := s.loginAdmin(home)
	get := func(path string) any { return s.must("GET", path, token, "") }
	const fine = "map[kind:embedded status:ok]"
	var health map[string]any
	testutil.Eventually(t, "the pool, a full pass and the store", func() bool {
		health, _ = get("/v2/ips/health").(map[string]any)
		feed, _ := health["feed"].(map[string]any)
		return feed["loaded"] == true && health["full_pass"] != nil && fmt.Sprint(health["store"]) == fine
	})
	want := map[string]string{
		"copies_repaired": "map[created:0 removed:0 updated:0]",
		"billing":         "map[]", "notices": "<nil>", "version": version(), "settings": "map[cooling_s:0]",
	}
	for key, text := range want {
		if got := fmt.Sprint(health[key]); got != text {
			t.Errorf("%s: %s, want %s", key, got, text)
		}
	}
	ok(t, "account", "create", "--store", home, "Acme")
	testutil.Eventually(t, "the new account", func() bool {
		accounts, _ := get("/v2/ips/accounts?search=acme").([]any)
		return len(accounts) == 1
	})
}
