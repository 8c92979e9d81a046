package main

import (
	"regexp"
	"strings"
	"testing"

	"junctor/pkg/testutil"
)

// TestServerMetrics: counters exist before they count, so that alerts see their first increase (N9). Failures, logins, the
// file, the build and the last full pass are counted as they happen.
func TestServerMetrics(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	text := s.metrics()
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
	s.request("PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+strings.Repeat("0", 64)+`"}}`)
	s.request("PUT", "/v2/user_auth", "", `{"data":{"credentials":"`+strings.Repeat("0", 32)+`","account_name":"none"}}`)
	s.request("GET", "/v2/ips", "no token", "")
	s.awaitFullPass()
	for _, want := range []string{
		`junctor_logins_failed_total 1`, `junctor_tokens_refused_total 2`, `junctor_http_requests_in_flight 0`,
		`junctor_store_file_bytes [1-9]`, `junctor_store_disk_free_bytes [1-9]`, `junctor_last_full_pass_timestamp_seconds [1-9]`,
		`junctor_build_info{commit="[^"]*",go="go1[^"]*",version="dev"} 1`, `junctor_http_failures_total{kind="busy"} 0`,
		`junctor_history_waiting 0`, `junctor_history_oldest_seconds 0`,
	} {
		pattern := regexp.MustCompile(`(?m)^` + want)
		testutil.Eventually(t, want, func() bool { return pattern.MatchString(s.metrics()) })
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
