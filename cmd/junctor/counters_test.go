package main

import (
	"strings"
	"testing"
)

// TestCountersFromTheStart: counters exist before they count, so that alerts see their first increase (N9).
func TestCountersFromTheStart(t *testing.T) {
	t.Parallel()
	text := start(t, "--store", t.TempDir()).metrics()
	for _, line := range []string{
		`junctor_copies_repaired_total{kind="created"} 0`, `junctor_copies_repaired_total{kind="updated"} 0`,
		`junctor_copies_repaired_total{kind="removed"} 0`, `junctor_addresses_abandoned_total 0`,
		`junctor_store_conflicts_total{database="dedicated_ips"} 0`, `junctor_store_conflicts_total{database="account"} 0`,
		`junctor_store_conflicts_total{database="routing"} 0`, `junctor_store_conflicts_total{database="routing_claims"} 0`,
		`junctor_full_passes_total{result="failed"} 0`,
		`junctor_store_errors_total{database="dedicated_ips",kind="datastore unreachable",operation="put"} 0`,
		`junctor_store_call_duration_seconds_bucket{database="dedicated_ips",operation="put",le="5e-05"}`,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %s", line)
		}
	}
}

// TestConflictsCountLostWrites: what finds things as they are counts no conflict: a start on a store that is there, and
// subcommands (N9).
func TestConflictsCountLostWrites(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	start(t, "--store", home).stop()
	s := start(t, "--store", home)
	for range 3 {
		ok(t, "sup", "--store", home, "kazoo_ips_maintenance", "summary")
		ok(t, "bootstrap", "--store", home)
	}
	for line := range strings.Lines(s.metrics()) {
		if strings.HasPrefix(line, "junctor_store_errors_total") && !strings.HasSuffix(line, " 0\n") {
			t.Error(line)
		}
		// The follower and the full pass of one server may both write how far they are.
		if strings.HasPrefix(line, "junctor_store_conflicts_total") && !strings.HasSuffix(line, " 0\n") &&
			!strings.Contains(line, `"junctor"`) {
			t.Error(line)
		}
	}
}
