package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/billing"
	"junctor/pkg/testutil"
)

// TestReconciled: billing is told after whatever changes what an account has, and of nothing else.
func TestReconciled(t *testing.T) {
	t.Parallel()
	sv, hook := billed(t)
	sv.create("1.2.3.4", "1.2.3.5", "1.2.3.6")
	told := 0
	expect := func(accounts ...string) {
		t.Helper()
		testutil.Eventually(t, "billing to be told", func() bool { return len(hook.Reconciled()) >= told+len(accounts) })
		if got := hook.Reconciled()[told:]; !slices.Equal(got, accounts) {
			t.Errorf("told of %v, want %v", got, accounts)
		}
		told += len(accounts)
	}
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	expect(accountA)
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.5","1.2.3.6"]}}`), 200)
	expect(accountA)
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 400)
	sv.want(sv.as("A", "GET", ipsOfA+"/assigned", ""), 200)
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{}}`), 200)
	sv.want(sv.as("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
	expect(accountA)
	sv.want(sv.as("M", "DELETE", "/v2/ips/1.2.3.4", ""), 200) // nobody's
	sv.want(sv.as("M", "DELETE", "/v2/ips/1.2.3.5", ""), 200)
	expect(accountA)
	sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200)
	expect(accountA)
	sv.want(sv.as("A", "DELETE", ipsOfA, ""), 200) // has none any more
	sv.want(sv.as("B", "POST", ipsOfB+"/1.2.3.6", ""), 200)
	expect(accountB)
}

// TestReconcileHinders: no request waits for billing to be told, or fails with it.
func TestReconcileHinders(t *testing.T) {
	t.Parallel()
	sv, hook := billed(t, func(o *billing.Options) { o.AllowOnError = true })
	sv.create("1.2.3.4")
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	testutil.Eventually(t, "billing to be told", func() bool { return len(hook.Reconciled()) == 1 })
	called, release := make(chan struct{}), make(chan struct{})
	hook.Instead(func(w http.ResponseWriter, _ *http.Request) {
		close(called)
		<-release
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	sv.want(sv.as("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
	wantHolder(t, sv, "1.2.3.4", "")
	<-called
	hook.Instead(nil)
	close(release)
	testutil.Eventually(t, "billing to be told", func() bool { return len(hook.Reconciled()) == 2 })
	for _, line := range []string{
		`junctor_billing_call_duration_seconds_count{event="reconcile",outcome="failed"} 1`,
		`junctor_billing_call_duration_seconds_count{event="reconcile",outcome="done"} 2`,
		`junctor_billing_accounts_waiting{target="hook"} 0`, `junctor_billing_accounts_dropped_total{target="hook"} 0`,
	} {
		testutil.Eventually(t, line, func() bool { return strings.Contains(sv.send("GET", "/metrics", "").text, line+"\n") })
	}
}
