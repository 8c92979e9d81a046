package main

import (
	"slices"
	"strings"
	"testing"

	"junctor/pkg/billing/billingtest"
	"junctor/pkg/testutil"
)

// TestKazooURL: a Crossbar is asked to reconcile an account after each change of its copies, by a request or by
// sup (K2). That a repair counts as a change, too, is tested in dedicatedip.
func TestKazooURL(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	master := bootstrapped(t, "--store", home)
	crossbar := billingtest.StartCrossbar(t, master.APIKey)
	s := start(t, "--store", home, "--kazoo-url", crossbar.URL+"/v2/")
	for _, line := range []string{
		`junctor_billing_call_duration_seconds_count{event="kazoo_reconcile",outcome="done"} 0`,
		`junctor_billing_call_duration_seconds_count{event="kazoo_reconcile",outcome="failed"} 0`,
		`junctor_billing_accounts_waiting{target="kazoo"} 0`, `junctor_billing_accounts_dropped_total{target="kazoo"} 0`,
	} {
		if !s.shows(line) {
			t.Errorf("no metric %s", line)
		}
	}
	id := s.assign(home)
	testutil.Eventually(t, "a reconcile call", func() bool { return len(crossbar.Reconciled()) == 1 })
	ok(t, "sup", "kazoo_ips_maintenance", "release", "1.2.3.4", "--store", home)
	testutil.Eventually(t, "a reconcile call for sup", func() bool { return len(crossbar.Reconciled()) == 2 })
	const line = `junctor_billing_call_duration_seconds_count{event="kazoo_reconcile",outcome="done"} 2`
	testutil.Eventually(t, line, func() bool { return s.shows(line) })
	s.stop()
	if got := crossbar.Reconciled(); !slices.Equal(got, []string{id, id}) {
		t.Errorf("reconciled %v", got)
	}
	if log := s.stderr.String(); strings.Contains(log, master.APIKey) || strings.Contains(log, crossbar.Token()) {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

// TestKazooURLInDoctor: doctor logs in, and says what is wrong without the key.
func TestKazooURLInDoctor(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	master := bootstrapped(t, "--store", home)
	crossbar := billingtest.StartCrossbar(t, master.APIKey)
	if text := ok(t, "doctor", "--store", home, "--kazoo-url", crossbar.URL); !strings.Contains(text, "Crossbar accepts") {
		t.Errorf("printed\n%s", text)
	}
	o := call(t, nil, "doctor", "--store", home, "--kazoo-url", billingtest.StartCrossbar(t, "another").URL, "--json")
	if o.code != 1 || !strings.Contains(o.stdout, "refused with status 401") ||
		strings.Contains(o.stdout+o.stderr, master.APIKey) {
		t.Errorf("with another key: %+v", o)
	}
}
