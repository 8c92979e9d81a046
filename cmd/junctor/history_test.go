package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHistoryCommands: what commands changed is shown by commands, without a server and by one.
func TestHistoryCommands(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "store")
	at := func(args ...string) []string { return append(args, "--store", folder) }
	master := bootstrapped(t, at()...)
	sup := func(args ...string) {
		t.Helper()
		ok(t, at(append([]string{"sup", "kazoo_ips_maintenance"}, args...)...)...)
	}
	events := func(args ...string) string { // the oldest first, or for several addresses sorted
		t.Helper()
		var list []map[string]any
		var actions []string
		text := ok(t, at(append([]string{"ips", "history", "--json"}, args...)...)...)
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, e := range list {
			actions = append(actions, e["action"].(string))
			if e["source"] != "sup" || e["auth_user_id"] != userName() {
				t.Errorf("%v", e)
			}
		}
		if slices.Reverse(actions); len(args) == 0 {
			slices.Sort(actions)
		}
		return strings.Join(actions, " ")
	}
	if got := events(); got != "" {
		t.Errorf("of an empty pool: %s", got)
	}
	sup("add", "192.0.2.7", "z", "h")
	sup("add", "192.0.2.8", "z", "h")
	sup("assign", "192.0.2.7", master.AccountID)
	check := func() {
		t.Helper()
		for _, c := range []struct{ args, want string }{
			{"", "assigned created created"}, {"192.0.2.7", "created assigned"}, {"::ffff:192.0.2.7", "created assigned"},
			{"192.0.2.9", ""}, {"--account " + master.AccountID, "assigned"}, {"192.0.2.7 --at 2199-01-01", "assigned"},
			{"192.0.2.7 --at 2001-01-01T00:00:00Z", ""}, {"--since 2199-01-01", ""},
			{"--since 2001-01-01 --until 2199-01-01 --account " + master.AccountID, "assigned"}, {"--until 2001-01-01", ""},
			{"192.0.2.7 --until 2199-01-01", "created assigned"},
		} {
			if got := events(strings.Fields(c.args)...); got != c.want {
				t.Errorf("%q: %q, want %q", c.args, got, c.want)
			}
		}
		if text := ok(t, at("ips", "history", "192.0.2.7")...); strings.Count(text, "\n") != 3 || !strings.Contains(text, "  Master Account "+master.AccountID+"  ") {
			t.Error(text)
		}
	}
	if text := ok(t, at("ips", "history", "192.0.2.9")...); text != "no change is known\n" {
		t.Error(text)
	}
	check()
	s := start(t, "--store", folder)
	check()
	sup("release", "192.0.2.7")
	if got := events("192.0.2.7"); got != "created assigned released" {
		t.Error(got)
	}
	if text := ok(t, at("history", "prune", "--before", "2199-01-01")...); text !=
		"removed 2 events; left 2 older ones that say who has an address now\n" {
		t.Error(text)
	}
	if got := events(); got != "created released" {
		t.Error("after prune:", got)
	}
	s.stop()
	for _, args := range []string{"ips history --at 2026-01-01", "ips history x --at y", "ips history --account a 192.0.2.7",
		"ips history not-an-ip", "ips history --since yesterday",
		"ips history --since 2026-01-02 --until 2026-01-01", "ips history 192.0.2.7 --at 2026-01-01 --until 2026-01-01", "history prune", "history prune --before x"} {
		if o := call(t, nil, at(strings.Fields(args)...)...); o.code != 2 {
			t.Errorf("%s: exit code %d, %s", args, o.code, o.stderr)
		}
	}
}
